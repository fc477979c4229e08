"""How long filing takes, photo included, next to a plain text turn of the same run.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.filing.measure --rounds 40``

The whole product runs on loopback. Every round asks a service question (the baseline), sends a
new photo of 12 megapixels with words and a place, and confirms the complaint; then such a
complaint with a photo as messengers shrink it, and one without. The words are new every time. The
order changes from round to round. Times are those of a client of the Chat API. The exit code is 1
when filing a complaint with a photo takes 1.5 times a plain turn, or longer; the turns that upload
a photo are held against the same limit and only told.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.faults.run import end_processes, interrupt
from benchmarks.faults.script import WORDS, places
from tests.e2e.driver import Attachment, location
from tests.stack import ROOT, Stack, stack_environment

LIMIT = 1.5
WHOLE, SHRUNK = (4032, 3024), (1280, 960)
"""Pixels of a telephone's 12-megapixel photo, and of what messengers make of it."""
QUALITY = 88
QUESTIONS = (
    "身份证丢了怎么补办",
    "护照怎么办理",
    "社保卡补办要带什么材料",
    "孩子刚出生怎么上户口",
    "公积金提取在哪里办",
    "居住证多久能办好",
    "开餐馆要办什么证",
    "老年人优待证怎么办",
)

PLAIN = "plain text turn (service question)"
PHOTO = "complaint with a 12-megapixel photo"
FILING = "filing it (confirmation to ticket)"
SMALL = "complaint with a photo of 1280 × 960"
SMALL_FILING = "filing that complaint"
BARE = "the same complaint without a photo"
BARE_FILING = "filing that one"
ROWS = (PLAIN, PHOTO, FILING, SMALL, SMALL_FILING, BARE, BARE_FILING)
WATCHED = (PHOTO, FILING, SMALL, SMALL_FILING)

WORKERS = ("rasa", "actions", "gateway")
"""Whose processor time is looked at."""

Times = dict[str, list[float]]


def telephone_photo(seed: int, size: tuple[int, int]) -> bytes:
    """Return a JPEG of so many pixels, 3 MB for 12 megapixels: soft shapes under sensor noise."""
    chance = np.random.default_rng([seed, *size])
    width, height = size
    shapes = Image.fromarray(chance.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    scene = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    grain = chance.integers(-9, 10, (height, width, 1), dtype=np.int16)
    output = io.BytesIO()
    image = Image.fromarray(np.clip(scene + grain, 0, 255).astype(np.uint8))
    image.save(output, "JPEG", quality=QUALITY)
    return output.getvalue()


class Timer:
    """Sends messages and keeps how long each kind took (seconds).

    ``spent`` is the processor time of each worker by kind of turn, summed (seconds).
    """

    def __init__(self, stack: Stack) -> None:
        self.times: Times = defaultdict(list)
        self.spent: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(WORKERS, 0.0))
        self.counting = False
        self._groups = {name: stack.processes[name].pid for name in WORKERS}
        key = stack.settings["SHIMIN_API_KEY"]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._http = httpx.Client(base_url=stack.url, timeout=60, headers=headers)

    def send(
        self, kind: str, name: str, text: str, attachments: Sequence[Attachment] = ()
    ) -> dict[str, Any]:
        """Send one message; the body is ready before the clock starts."""
        message = {
            "conversation_id": name,
            "channel": "api",
            "text": text,
            "attachments": list(attachments),
        }
        body = json.dumps(message).encode()
        before = self._processor_time()
        begun = time.perf_counter()
        response = self._http.post("/api/v1/messages", content=body)
        took = time.perf_counter() - begun
        response.raise_for_status()
        if self.counting:
            self.times[kind].append(took)
            for worker, seconds in self._processor_time().items():
                self.spent[kind][worker] += seconds - before[worker]
        return dict(response.json())

    def _processor_time(self) -> dict[str, float]:
        return {name: group_seconds(group) for name, group in self._groups.items()}

    def ask(self, question: str) -> None:
        """A plain text turn of a citizen nobody knows."""
        answer = self.send(PLAIN, _name(), question)
        assert answer["understanding"]["intent"].startswith("ask_"), f"{question}: {answer}"

    def file(self, kinds: tuple[str, str], words: str, attachments: list[Attachment]) -> None:
        """Tell a complaint and confirm it."""
        name = _name()
        answer = self.send(kinds[0], name, words, attachments)
        payloads = [b["payload"] for reply in answer["replies"] for b in reply["buttons"]]
        leading = ("/affirm", "/choose_category")
        confirm = next(p for wanted in leading for p in payloads if p.startswith(wanted))
        filed = self.send(kinds[1], name, confirm)
        assert _cards(filed, "ticket"), f"{words}: {filed}"


def group_seconds(group: int) -> float:
    """Return the processor time of a process group so far (seconds, in steps of some 10 ms)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(stack: Stack, rounds: int, warm_up: int, say: Callable[[str], None]) -> Timer:
    """Run ``warm_up`` rounds that do not count, then ``rounds`` that do."""
    timer = Timer(stack)
    chance = random.Random(20261121)
    spots = places(3 * (rounds + warm_up))
    chance.shuffle(spots)
    for number in range(warm_up + rounds):
        timer.counting = number >= warm_up
        words = WORDS[number % len(WORDS)]
        question = QUESTIONS[number % len(QUESTIONS)]
        kinds: list[tuple[tuple[str, str], list[Attachment]]] = [
            ((PHOTO, FILING), [_photo(telephone_photo(number, WHOLE))]),
            ((SMALL, SMALL_FILING), [_photo(telephone_photo(number, SHRUNK))]),
            ((BARE, BARE_FILING), []),
        ]
        turns: list[Callable[[], None]] = [
            lambda q=question: timer.ask(q)  # type: ignore[misc]
        ]
        for place, (kind, photos) in enumerate(kinds):
            turn = 3 * number + place
            told = [*photos, location(*spots[turn])]
            new = f"{words}，已经{turn + 2}天了"
            turns.append(
                lambda k=kind, w=new, a=told: timer.file(k, w, a)  # type: ignore[misc]
            )
        chance.shuffle(turns)
        for turn in turns:
            turn()
        if number % 10 == 0:
            say(f"round {number}")
    return timer


def _photo(data: bytes) -> Attachment:
    return {
        "type": "photo",
        "content_type": "image/jpeg",
        "data": base64.b64encode(data).decode(),
    }


def table(timer: Timer) -> str:
    """Return the figures in Markdown: milliseconds, and ratios to the plain turn."""
    workers = ", ".join(WORKERS)
    lines = [
        "| turn | times | p50 ms | p95 ms | p50 to plain | p95 to plain "
        f"| processor ms a turn: {workers} |",
        "|---|---|---|---|---|---|---|",
    ]
    times = timer.times
    base = _percentiles(times[PLAIN])
    for kind in ROWS:
        middle, slow = _percentiles(times[kind])
        spent = ", ".join(f"{timer.spent[kind][w] / len(times[kind]) * 1000:.0f}" for w in WORKERS)
        lines.append(
            f"| {kind} | {len(times[kind])} | {middle * 1000:.0f} | {slow * 1000:.0f} "
            f"| {middle / base[0]:.2f} | {slow / base[1]:.2f} | {spent} |"
        )
    return "\n".join(lines)


def ratio(times: Times, kind: str) -> float:
    """Return the median of a kind of turn as a multiple of that of the plain turn."""
    return _percentiles(times[kind])[0] / _percentiles(times[PLAIN])[0]


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    middle, slow = np.percentile(seconds, (50, 95))
    return float(middle), float(slow)


def _cards(answer: dict[str, Any], kind: str) -> list[str]:
    return [c["id"] for reply in answer["replies"] for c in reply["cards"] if c["kind"] == kind]


def _name() -> str:
    return f"filing-{uuid.uuid4().hex[:12]}"


def main(arguments: list[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--warm-up", type=int, default=5)
    options = parser.parse_args(arguments)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, interrupt)
    folder = Path(tempfile.mkdtemp(prefix="shimin-filing-"))
    stack = Stack(folder, {**stack_environment(folder), "PYTHONPATH": str(ROOT)})
    try:
        stack.start_all()
        timer = measure(stack, options.rounds, options.warm_up, print)
    finally:
        end_processes(stack)
        shutil.rmtree(folder, ignore_errors=True)
    print(table(timer))
    for kind in WATCHED:
        found = ratio(timer.times, kind)
        verdict = "under" if found < LIMIT else "OVER"
        print(f"{kind}: {found:.2f} times a plain turn, {verdict} {LIMIT}")
    return int(ratio(timer.times, FILING) >= LIMIT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
