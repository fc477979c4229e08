from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.channels import app
from store.database import unit_of_work
from store.incoming import bury, claim, receive
from store.models import utc_now
from store.outgoing import claim_outgoing, give_up
from store.people import queue_message
from tests.isolated import isolated

WORDS = "楼下餐馆油烟太大了"


@pytest.fixture
def given_up(tmp_path: Path) -> Iterator[None]:
    """A message that was not answered, and one that was not sent."""
    lease = timedelta(minutes=1)
    with isolated(tmp_path, telegram_token="1:abc"):
        with unit_of_work() as session:
            receive(session, "telegram", "7:1", "7", {"text": WORDS})
            queue_message(session, "telegram:7", [{"text": WORDS}])
        with unit_of_work() as session:
            message = claim(session, ["telegram"], utc_now(), lease)
            parcel = claim_outgoing(session, ["telegram"], utc_now(), lease)
            assert message is not None
            assert parcel is not None
            bury(session, message, "assistant_unavailable")
            give_up(session, parcel, "BadRequest")
        yield


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, list(arguments))
    assert WORDS not in done.output
    return done


@pytest.mark.usefixtures("given_up")
def test_what_was_given_up_is_listed_and_tried_again() -> None:
    lines = run("list").output.splitlines()
    assert lines[0].startswith("telegram: album, buttons")
    assert lines[1:3] == ["  received: dead 1", "  outgoing: dead 1"]
    received, outgoing = (line.split() for line in lines[3:])
    assert received[:4] == ["dead", "received", "1", "telegram"]
    assert received[-1] == "assistant_unavailable"
    assert outgoing[:4] == ["dead", "outgoing", "1", "telegram"]
    for way in ("received", "outgoing"):
        assert run("retry", way, "1").exit_code == 0
        assert run("retry", way, "1").exit_code == 2
    assert run("list").output.splitlines()[1:] == ["  received: pending 1", "  outgoing: pending 1"]


def test_without_a_channel_it_says_so(tmp_path: Path) -> None:
    with isolated(tmp_path, telegram_token=""):
        assert "no channel is configured" in run("list").output
