"""Indexes of sentence vectors compared: recall, speed, memory and time to build.

    python -m benchmarks.vectors.measure [--sizes 1000 10000 100000] [--engines flat HNSW …]
    python -m benchmarks.vectors.measure --spread

Every row is a process of its own, so memory is that of one index (private pages gained; the
vectors it is built from are a mapped file and not counted). Everything uses one thread, and
seconds are those of the processor, so that a shared machine measures much the same. An index
is set to the quickest setting whose recall@10 on one half of the graded questions is at least
0.99; every figure is from the other half. hnswlib and usearch are outside baselines and left
out when they are not installed (``pip install hnswlib usearch``).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from base.encoder import Vectors, get_encoder
from base.settings import get_settings
from benchmarks.vectors.engines import ENGINES, Engine
from benchmarks.vectors.vectors import CHUNK, FOLDER, encoded, questions, real_texts, spread
from benchmarks.vectors.vectors import stretched as stretch

DEPTH = 10
WANTED = 0.99
SECONDS = 1.0
SIZES = (1_000, 10_000, 100_000)
OUTSIDE = ("hnswlib", "usearch")


def nearest(rows: Vectors, asked: Vectors) -> Any:
    """Return the numbers of the true nearest rows: ``(len(asked), DEPTH)``."""
    best = np.full((len(asked), DEPTH), -2.0, dtype=np.float32)
    found = np.zeros((len(asked), DEPTH), dtype=np.int64)
    for start in range(0, len(rows), CHUNK):
        cosines = asked @ rows[start : start + CHUNK].T
        both = np.concatenate([best, cosines], axis=1)
        numbers = np.concatenate(
            [found, np.broadcast_to(np.arange(start, start + cosines.shape[1]), cosines.shape)],
            axis=1,
        )
        kept = np.argpartition(-both, DEPTH - 1, axis=1)[:, :DEPTH]
        best = np.take_along_axis(both, kept, axis=1)
        found = np.take_along_axis(numbers, kept, axis=1)
    return found


def recall(found: Any, true: Any) -> float:
    """Return the share of the true nearest rows that were found."""
    return float(np.mean([len({*a} & {*b}) / DEPTH for a, b in zip(found, true, strict=True)]))


def speed(engine: Engine, asked: Vectors, setting: int, together: bool) -> float:
    """Return questions a processor second on one thread, asked one by one or all at once."""
    calls = [asked] if together else [asked[n : n + 1] for n in range(len(asked))]
    engine.search(calls[0], DEPTH, setting, 1)
    begun, done = time.process_time(), 0
    while time.process_time() - begun < SECONDS:
        for call in calls:
            engine.search(call, DEPTH, setting, 1)
            done += len(call)
            if time.process_time() - begun >= SECONDS:
                break
    return done / (time.process_time() - begun)


def private_bytes() -> int:
    """Return the private (anonymous) memory of this process in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no RssAnon")


def one(name: str, source: Path, folder: Path) -> dict[str, Any]:
    """Build one index and measure it."""
    rows = np.load(source, mmap_mode="r")
    asked, true = np.load(folder / "asked.npy"), np.load(source.with_suffix(".true.npy"))
    engine = ENGINES[name]()
    before, begun = private_bytes(), time.process_time()
    engine.build(rows)
    built, grown = time.process_time() - begun, private_bytes() - before
    tuning, testing = slice(0, None, 2), slice(1, None, 2)
    for setting in engine.settings:
        if recall(engine.search(asked[tuning], DEPTH, setting, 1), true[tuning]) >= WANTED:
            break
    held, answers = np.ascontiguousarray(asked[testing]), true[testing]
    return {
        "engine": name,
        "size": len(rows),
        "setting": setting,
        "recall": recall(engine.search(held, DEPTH, setting, 1), answers),
        "single": speed(engine, held, setting, together=False),
        "batch": speed(engine, held, setting, together=True),
        "megabytes": grown / 1e6,
        "build": built,
        "curve": {
            step: round(recall(engine.search(held, DEPTH, step, 1), answers), 4)
            for step in engine.settings
        },
    }


def prepare(size: int) -> Path:
    """Return the file of ``size`` vectors; questions and true answers lie beside it."""
    encoder = get_encoder(get_settings().embedding_model)
    asked = questions(encoder)
    source = stretch(encoded(encoder, "real", real_texts()), size)
    np.save(FOLDER / "asked.npy", asked)
    np.save(source.with_suffix(".true.npy"), nearest(np.load(source, mmap_mode="r"), asked))
    return source


def main() -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--spread", action="store_true", help="the cosines within each set")
    parser.add_argument("--one", nargs=2, metavar=("ENGINE", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], Path(given.one[1]), FOLDER)))
        return
    if not given.spread:
        print(
            "| vectors | index | setting | recall@10 | single, q/s | batch, q/s | MB | build, s |"
        )
        print("|---|---|---|---|---|---|---|---|")
    for size in given.sizes:
        source = prepare(size)
        if given.spread:
            asked, rows = np.load(FOLDER / "asked.npy"), np.load(source, mmap_mode="r")
            print(size, json.dumps(spread(rows, asked)), flush=True)
            continue
        for name in given.engines:
            if name in OUTSIDE and importlib.util.find_spec(name) is None:
                continue
            command = [sys.executable, "-m", "benchmarks.vectors.measure"]
            done = subprocess.run(
                [*command, "--one", name, str(source)], check=True, capture_output=True, text=True
            )
            row = json.loads(done.stdout.splitlines()[-1])
            print(
                f"| {size:,} | {name} | {row['setting']} | {row['recall']:.4f} | "
                f"{row['single']:,.0f} | {row['batch']:,.0f} | {row['megabytes']:,.0f} | "
                f"{row['build']:,.1f} |",
                flush=True,
            )
            with (FOLDER / "rows.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
