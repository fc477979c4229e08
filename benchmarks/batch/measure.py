"""All policies over a made-up city: time, memory and growth, beside three other ways.

    python -m benchmarks.batch.measure [--sizes 10000 100000 1000000] [--threads 2]

Three in ten profiles are enterprises. Every way judges the same profiles by the same policies
and must come to the same verdicts; a difference ends the run. The Python loop runs over a
sample and is scaled up. Seconds are those of the clock and, in brackets, of the processors (all
threads together), which a machine shared with other work measures much the same; how many times
faster is told from the latter. Each size runs in a process of its own, whose peak memory is told:
that of the batch alone is read before the others begin.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from base.settings import get_settings
from benchmarks.batch.baselines import Codes, duckdb_by_policy, pandas_nullable, python_loop
from benchmarks.batch.population import population
from matcher.batch.engine import BatchEngine
from matcher.batch.query import completed_select
from matcher.policy import Policy, load_policies
from matcher.profile import ATTRIBUTES, KINDS, Kind

SHARES: dict[Kind, float] = {"enterprise": 0.3, "resident": 0.7}
SAMPLE = 3000
"""Profiles that the Python loop judges, of each kind at most."""
SEED = 20261122


@dataclass(frozen=True)
class Seconds:
    """What something took, by the clock and of all processors together."""

    clock: float = 0.0
    processor: float = 0.0

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.clock + other.clock, self.processor + other.processor)

    def times(self, factor: float) -> Seconds:
        """Scale both."""
        return Seconds(self.clock * factor, self.processor * factor)

    def __str__(self) -> str:
        return f"{self.clock:.2f} ({self.processor:.2f})"


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    policies = load_policies(get_settings().policies_dir)
    conditions = [predicate for policy in policies for predicate in policy.predicates]
    distinct = len({(predicate.kind, predicate.sql) for predicate in conditions})
    print(f"{len(policies)} policies, {len(conditions)} conditions, {distinct} distinct")
    print(
        "| profiles | batch: encode + judge s | python loop s | naive DuckDB s | pandas s"
        " | to python | to DuckDB | to pandas | batch peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    spawn = multiprocessing.get_context("spawn")
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            for step in (_generate, _compare):
                process = spawn.Process(target=step, args=(size, Path(folder), given.threads))
                process.start()
                process.join()
                if process.exitcode:
                    raise SystemExit(f"{step.__name__} failed at {size}")


def _generate(size: int, folder: Path, _threads: int) -> None:
    policies = load_policies(get_settings().policies_dir)
    for kind in KINDS:
        people = population(kind, round(size * SHARES[kind]), SEED, policies)
        duckdb.from_df(people).write_parquet(str(folder / f"{kind}.parquet"))


def _compare(size: int, folder: Path, threads: int) -> None:
    every = load_policies(get_settings().policies_dir)
    spent = {name: Seconds() for name in ("encode", "judge", "python", "duckdb", "pandas")}
    results: dict[Kind, Codes] = {}
    engines: dict[Kind, BatchEngine] = {}
    for kind in KINDS:
        engine = engines[kind] = BatchEngine(kind, threads=threads)
        engine.connection.execute(
            "INSERT INTO profiles BY NAME SELECT * FROM read_parquet(?)",
            [str(folder / f"{kind}.parquet")],
        )
        mine = _of(every, kind)
        spent["encode"] += _timed(lambda: engine.prepare(mine))[0]  # noqa: B023
        seconds, chunks = _timed(lambda: list(engine.judge(mine)))  # noqa: B023
        spent["judge"] += seconds
        order = np.argsort(np.concatenate([c.places for c in chunks]))
        results[kind] = {p.id: np.concatenate([c.codes[p.id] for c in chunks])[order] for p in mine}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for kind, engine in engines.items():
        mine = _of(every, kind)
        seconds, codes = _timed(lambda: duckdb_by_policy(kind, engine.connection, mine))  # noqa: B023
        spent["duckdb"] += seconds
        _same("naive DuckDB", results[kind], codes)
        frame = _frame(kind, engine)
        engine.close()
        seconds, codes = _timed(lambda: pandas_nullable(frame, mine))  # noqa: B023
        spent["pandas"] += seconds
        _same("pandas", results[kind], codes)
        sample = frame.head(SAMPLE)
        seconds, codes = _timed(lambda: python_loop(kind, sample, mine))  # noqa: B023
        spent["python"] += seconds.times(len(frame) / len(sample))
        _same("python", {k: v[: len(sample)] for k, v in results[kind].items()}, codes)
    batch = spent["encode"] + spent["judge"]
    times = " | ".join(
        f"{spent[name].processor / batch.processor:.1f} ×"
        for name in ("python", "duckdb", "pandas")
    )
    print(
        f"| {size:,} | {spent['encode']} + {spent['judge']} | {spent['python']}"
        f" | {spent['duckdb']} | {spent['pandas']} | {times} | {peak:.0f} |",
        flush=True,
    )


def _of(policies: tuple[Policy, ...], kind: Kind) -> list[Policy]:
    return [policy for policy in policies if policy.audience == kind]


def _frame(kind: Kind, engine: BatchEngine) -> pd.DataFrame:
    """Every column, derived ones filled in, in pandas' nullable types."""
    select = completed_select(kind, "profiles", list(ATTRIBUTES[kind]))
    frame = engine.connection.execute(f"{select} ORDER BY place").df()
    kinds = {"integer": "Int64", "number": "Float64", "boolean": "boolean", "choice": "string"}
    return frame.astype({name: kinds[c.type] for name, c in ATTRIBUTES[kind].items()})


def _timed(work: Callable[[], Any]) -> tuple[Seconds, Any]:
    begun, used = time.perf_counter(), time.process_time()
    result = work()
    return Seconds(time.perf_counter() - begun, time.process_time() - used), result


def _same(name: str, ours: Codes, theirs: Codes) -> None:
    for policy, codes in ours.items():
        if not np.array_equal(codes, theirs[policy]):
            raise SystemExit(f"{name} differs on {policy}")


if __name__ == "__main__":
    main()
