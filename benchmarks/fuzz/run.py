"""Sends messages nobody should send to a real gateway over a stand-in for Rasa; counts answers.

Usage: ``PYTHONPATH=. .venv/bin/python -m benchmarks.fuzz.run --messages 20000 --seed 20261122``

The gateway is the one of ``shimin serve gateway``, with a database of its own; where Rasa is, a
small server says that it did not understand. With ``--url`` and ``--key`` an installation that is
running is asked instead, Rasa and all. The exit code is 1 when an answer was a 5xx or not of the
form the Chat API promises.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from base.logs import configure_logs
from benchmarks.fuzz.messages import messages
from tests.channels.conftest import Neighbour, fine, neighbouring, replying, running_gateway
from tests.isolated import isolated
from tests.stack import free_port

WORKERS = 4
PATIENCE_SECONDS = 60
NO_ANSWER = (599, "no_answer")
TELL_EVERY = 1000


def main(arguments: list[str]) -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--url")
    parser.add_argument("--key", default="test-api-key")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    if given.url:
        counts = ask(given.url, given.key, given.messages, given.seed)
    else:
        counts = over_stand_in(given.messages, given.seed, given.key)
    for (status, code), count in sorted(counts.items()):
        print(f"{status} {code:24} {count:6}")
    bad = sum(n for (status, code), n in counts.items() if status >= 500 or code == "malformed")
    took = time.monotonic() - started
    print(f"{counts.total()} messages in {took:.0f} s, {bad} answers with 5xx or out of form")
    return 1 if bad else 0


def over_stand_in(count: int, seed: int, key: str) -> Counter[tuple[int, str]]:
    """Ask a gateway of this process."""
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    fallback = {"name": "nlu_fallback", "confidence": 0.2}
    rasa.answer = replying({"text": "我没听明白。"}, intent=fallback)
    changes = {
        "api_key": key,
        "gateway_port": free_port(),
        "rasa_port": rasa.port,
        "rate_citizen": "",
    }
    configure_logs(level=50)
    with (
        tempfile.TemporaryDirectory() as folder,
        isolated(Path(folder), **changes) as settings,
        neighbouring(rasa),
        running_gateway(settings, rasa, actions, desk) as gateway,
    ):
        return ask(gateway.url, key, count, seed)


def ask(url: str, key: str, count: int, seed: int) -> Counter[tuple[int, str]]:
    """Send the messages and count the answers by status and code."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with (
        httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS) as http,
        ThreadPoolExecutor(WORKERS) as pool,
    ):

        def send(body: bytes) -> tuple[int, str]:
            try:
                return answer_of(http.post("/api/v1/messages", content=body))
            except httpx.TimeoutException:
                return NO_ANSWER

        counts: Counter[tuple[int, str]] = Counter()
        for answer in pool.map(send, messages(count, seed)):
            counts[answer] += 1
            if counts.total() % TELL_EVERY == 0:
                print(f"{counts.total()} of {count}", file=sys.stderr, flush=True)
        return counts


def answer_of(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code; ``malformed`` for what the Chat API never promised."""
    try:
        body = answer.json()
        if answer.status_code == 200:
            return 200, "ok" if body["replies"] is not None else "malformed"
        words = str(body["error"]["message"])
        told = any("\u4e00" <= character <= "\u9fff" for character in words)
        return answer.status_code, str(body["error"]["code"]) if told else "malformed"
    except (ValueError, KeyError, TypeError):
        return answer.status_code, "malformed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
