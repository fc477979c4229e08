"""Killed in the middle of everything, the process of the channels loses and repeats nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from store.database import unit_of_work
from store.people import queue_message
from tests.channels.conftest import Neighbour, neighbouring, replying
from tests.channels.photos import encoded, scene
from tests.channels.telegram.bot_api import TOKEN, BotApi, bot_api, message, photo, refuse
from tests.isolated import isolated
from tests.stack import ROOT, free_port
from tests.waiting import wait_until

PIECES = ["一" * 4000, "二" * 4000, "三" * 4000]


class Process:
    """``shimin serve channels``, which can be killed from within what it calls."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-c", "from cli.main import main; main()", "serve", "channels"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def is_dead(self) -> bool:
        return self._running is not None and self._running.poll() is not None

    def stop(self) -> int:
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        return self._running.wait(60)


@pytest.fixture
def process(tmp_path: Path) -> Any:
    process = Process(tmp_path / "channels.log")
    try:
        yield process
    finally:
        if not process.is_dead():
            process.kill()


def test_killed_mid_album_mid_turn_and_mid_notice(tmp_path: Path, process: Process) -> None:
    rasa = Neighbour(free_port(), replying({"text": "照片收到了"}))
    with bot_api() as api, neighbouring(rasa):
        changes: dict[str, object] = {
            "telegram_token": TOKEN,
            "telegram_api_url": api.url,
            "rasa_port": rasa.port,
        }
        with isolated(tmp_path, **changes):
            _mid_album(api, process)
            first = _mid_turn(api, rasa, process)
            _mid_notice(api, process)
            process.start()
            wait_until(lambda: "照片收到了" in api.texts(), "the answer", 120)
            assert process.stop() == 0
    assert api.texts() == [*PIECES, "照片收到了"]
    turns = [body for body in rasa.heard if "sender" in body]
    assert len(turns) > 1
    assert all(turn == turns[0] for turn in turns)  # Rasa answers a known name as before
    assert turns[0]["metadata"]["message_id"] == first
    assert len(turns[0]["metadata"]["photos"]) == 3
    assert turns[0]["message"] == "楼下垃圾成堆"


def _mid_album(api: BotApi, process: Process) -> None:
    """Two of three photos are stored when it dies, and confirmed to Telegram."""
    for turn, name in enumerate("abc"):
        api.files[f"{name}-3"] = encoded(scene().rotate(90 * turn, expand=True))
    with api.arrived:
        api.push(message=message(1, photo=photo("a"), media_group_id="g", caption="楼下垃圾成堆"))
        last = api.push(message=message(2, photo=photo("b"), media_group_id="g"))

    def confirmed(method: str, fields: dict[str, Any]) -> None:
        if method == "getUpdates" and int(fields.get("offset", 0)) > last["update_id"]:
            process.kill()

    api.trouble = confirmed
    process.start()
    wait_until(process.is_dead, "killed in the album", 120)
    api.trouble = lambda *_: None


def _mid_turn(api: BotApi, rasa: Neighbour, process: Process) -> str:
    """Rasa has handled the album, and the process dies before it hears the answer."""
    answer = rasa.answer

    def handled(body: dict[str, Any] | None) -> tuple[int, bytes]:
        if body is not None and "sender" in body:
            process.kill()
        return answer(body)

    api.push(message=message(3, photo=photo("c"), media_group_id="g"))
    rasa.answer = handled
    process.start()
    wait_until(process.is_dead, "killed in the turn", 120)
    rasa.answer = answer
    (turn,) = [body for body in rasa.heard if "sender" in body]
    return str(turn["metadata"]["message_id"])


def _mid_notice(api: BotApi, process: Process) -> None:
    """A long notice is out by a third when the process dies."""
    with unit_of_work() as session:
        queue_message(session, "telegram:7", [{"text": "\n".join(PIECES)}])

    def second(method: str, fields: dict[str, Any]) -> Any:
        if method == "sendMessage" and fields["text"] == PIECES[1]:
            process.kill()
            return refuse(502, "Bad Gateway")
        return None

    api.trouble = second
    process.start()
    wait_until(process.is_dead, "killed while it sends", 120)
    api.trouble = lambda *_: None
