"""Work in the batch engine that must not take the machine: bounded in time and memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from time import monotonic

import duckdb

from base.errors import InputError
from matcher.batch.engine import BatchEngine
from matcher.profile import ATTRIBUTES, Kind, Value

__all__ = ["bounded_engine", "hold"]

_EVERY = 0.2
_BATCH = 1000
_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "choice": "VARCHAR"}

Check = Callable[[], None]


@contextmanager
def bounded_engine(
    kind: Kind, *, seconds: float, memory: str
) -> Iterator[tuple[BatchEngine, Check]]:
    """Open an engine with one thread, within limits; it never writes to disk.

    Beside the engine comes a function that raises as soon as the time is over, for work that is
    not the engine's own.

    Args:
        kind: of the profiles.
        seconds: until what runs is broken off.
        memory: as DuckDB writes it, such as ``1GB``.

    Raises:
        InputError: ``simulation_too_long``, ``simulation_too_large``.
    """
    ended, began = threading.Event(), monotonic()

    def over() -> bool:
        return monotonic() - began > seconds

    def check() -> None:
        if over():
            raise _too_long(seconds)

    with BatchEngine(kind, threads=1, memory_limit=memory) as engine:
        engine.connection.execute("SET temp_directory = ''")

        def watch() -> None:
            if ended.wait(seconds):
                return
            while not ended.wait(_EVERY):  # a query that begins later is broken off as well
                engine.connection.interrupt()

        watcher = threading.Thread(target=watch, name="bounded-batch", daemon=True)
        watcher.start()
        try:
            yield engine, check
        except duckdb.OutOfMemoryException as error:
            raise InputError(
                "simulation_too_large",
                "画像太多，内存不够。请用抽样的画像文件。",
                f"more than {memory}",
            ) from error
        except (duckdb.Error, InputError) as error:
            if over():
                raise _too_long(seconds) from error
            raise
        finally:
            ended.set()
            watcher.join()


def hold(engine: BatchEngine, profiles: Iterable[Mapping[str, Value]]) -> int:
    """Put checked profiles into an engine, numbered instead of named; return how many."""
    columns = ATTRIBUTES[engine.kind]
    names = ", ".join(columns)
    lists = ", ".join(f"unnest(CAST(? AS {_TYPES[c.type]}[]))" for c in columns.values())
    waiting, count = iter(profiles), 0
    while rows := list(islice(waiting, _BATCH)):
        places = [str(number) for number in range(count, count + len(rows))]
        values = [[row.get(name) for row in rows] for name in columns]
        engine.connection.execute(
            f"INSERT INTO profiles (id, {names}) SELECT unnest(CAST(? AS VARCHAR[])), {lists}",
            [places, *values],
        )
        count += len(rows)
    return count


def _too_long(seconds: float) -> InputError:
    return InputError(
        "simulation_too_long",
        f"测算超过{seconds:g}秒，已经停止。请用较小的画像文件。",
        f"broken off after {seconds:g} s",
    )
