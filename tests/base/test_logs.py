from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Literal

import structlog

from base.logs import configure_logs
from base.tracing import traced

PHONE = "13800138000"


@contextmanager
def configured(
    level: int = logging.INFO, form: Literal["text", "json"] = "text"
) -> Iterator[io.StringIO]:
    """Our logging with its standard error in a buffer; the test session's own afterwards."""
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    written = io.StringIO()
    with redirect_stderr(written):
        try:
            configure_logs(level, form)
            yield written
        finally:
            root.handlers[:] = handlers
            root.setLevel(before)
            structlog.reset_defaults()


def test_structured_and_plain_logs_read_the_same() -> None:
    with configured() as written:
        structlog.get_logger("a").info("ticket_status", ticket="SM20261121000042", photos=2)
        logging.getLogger("uvicorn").warning("started in %s s", 3)
    first, second = written.getvalue().splitlines()
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d \[info +\] ticket_status +photos=2 ticket=SM20261121000042", first
    )
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[warning +\] started in 3 s", second)


def test_every_kind_of_line_carries_the_trace() -> None:
    with (
        configured(form="json") as written,
        traced(f"00-{PHONE}{'ab' * 10}1-{'1' * 16}-01") as step,
    ):
        structlog.get_logger("a").info("filed", ticket="SM20261121000042")
        logging.getLogger("b").warning("call %s", PHONE)
    first, second = map(json.loads, written.getvalue().splitlines())
    assert first == {
        "event": "filed",
        "ticket": "SM20261121000042",
        "level": "info",
        "timestamp": first["timestamp"],
        "trace": step.trace_id,
    }
    assert first["timestamp"].endswith("Z")
    assert PHONE in step.trace_id  # drawn at random, it may look like one
    assert (second["event"], second["trace"]) == ("call <手机号>", step.trace_id)


def test_personal_data_is_masked_in_every_kind_of_log() -> None:
    with configured() as written:
        log = structlog.get_logger("a")
        log.info(f"call {PHONE}", words=f"电话{PHONE}")
        log.info("nested", fields={"tel": [PHONE, ("x", PHONE)]}, number=int(PHONE))
        logging.getLogger("b").warning("refused %s", PHONE)
        try:
            raise ValueError(f"bad phone {PHONE}")
        except ValueError:
            log.exception("failed")
            logging.getLogger("d").exception("failed too")
    text = written.getvalue()
    assert PHONE not in text
    assert text.count("<手机号>") == 8
    assert text.count("Traceback") == 2


def test_noisy_libraries_speak_only_of_trouble() -> None:
    with configured() as written:
        for name in ("httpx", "httpcore", "alembic", "faiss"):
            logging.getLogger(name).info("chatter")
            logging.getLogger(name).warning("trouble")
    assert "chatter" not in written.getvalue()
    assert written.getvalue().count("trouble") == 4


def test_configuring_twice_does_not_log_twice() -> None:
    with configured(logging.DEBUG) as written:
        configure_logs(logging.DEBUG)
        structlog.get_logger("twice").debug("once")
    assert written.getvalue().count("once") == 1


def test_what_is_logged_never_begins_a_line_of_its_own() -> None:
    forged = "\r\n12:00:00 [info     ] forged\u2028x\x1b[31m\x85y"
    with configured() as written:
        structlog.get_logger("a").info("said", words=forged, nested={"w": forged})
        logging.getLogger("b").warning("refused %s", forged)
        try:
            raise ValueError(forged)
        except ValueError:
            structlog.get_logger("a").exception("failed")
    lines = written.getvalue().splitlines()
    assert "forged" in written.getvalue()
    assert not [line for line in lines if line.startswith("12:00:00 [info     ] forged")]
    assert not set("\r\x1b\x85\u2028") & set(written.getvalue())
    headers = [line for line in lines if re.match(r"\d\d:\d\d:\d\d \[", line)]
    assert len(headers) == 3
