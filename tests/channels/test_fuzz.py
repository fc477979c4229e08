"""A small run of benchmarks/fuzz: whatever is sent, the answer is one the Chat API promises."""

from __future__ import annotations

import sys

from benchmarks.fuzz.run import ask
from tests.channels.conftest import Gateway

MESSAGES = 600


def test_nothing_that_is_sent_breaks_the_gateway(gateway: Gateway) -> None:
    counts = ask(gateway.url, "test-api-key", MESSAGES, seed=7)
    sys.stdout.write(f"{dict(counts)}\n")
    assert counts.total() == MESSAGES
    assert not [key for key in counts if key[0] >= 500 or key[1] == "malformed"]
    assert {200, 400, 422} <= {status for status, _ in counts}
