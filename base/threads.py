"""How many threads the processes that answer citizens give to linear algebra."""

from __future__ import annotations

from threadpoolctl import threadpool_limits


def one_thread_a_product() -> None:
    """Let every product of matrices in this process run in the thread that asks for it.

    Several citizens are answered at once, so the cores are busy anyway; threads of OpenBLAS that
    wait for each other took more than twice the processor time for finding a service. To be
    called once everything is loaded: it reaches the libraries that are, and what is learned at
    the first start still uses every core.
    """
    threadpool_limits(limits=1, user_api="blas")
