"""Small real HTTP servers in a thread of the test process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn

from tests.waiting import wait_until


@contextmanager
def http_server(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[str]:
    """Serve ``handler`` on loopback (``port`` 0: any free one); yields the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def app_server(app: Any, host: str, port: int) -> Iterator[None]:
    """Serve an ASGI application under uvicorn until the block ends."""
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_started(server, thread)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def wait_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    """Wait until a server in a thread takes requests; fail at once when it has given up."""
    wait_until(lambda: server.started or not thread.is_alive(), "a server", pause=0.01)
    assert server.started, "the server did not start"
