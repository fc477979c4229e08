"""What the processes are started with."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from base.settings import get_settings
from cli import rasa_runtime, serve
from tests.isolated import isolated

OWN = {"SHIMIN_RASA_TOKEN", "SHIMIN_TRACKER_KEY"}
PLACES = {"SHIMIN_TRACKER_URL", "SHIMIN_LOCK_URL", "SHIMIN_ACTIONS_URL"}


class ReplacedError(Exception):
    """The process would be another one from here on."""


def test_the_dialogue_server_gets_no_secret_but_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}

    def execve(_path: str, _arguments: list[str], environment: dict[str, str]) -> NoReturn:
        given.update(environment)
        raise ReplacedError

    monkeypatch.setattr(rasa_runtime.os, "execve", execve)
    monkeypatch.chdir(tmp_path)  # it changes the folder
    with isolated(tmp_path, audit_key="test-audit-key"), pytest.raises(ReplacedError):
        monkeypatch.setenv("SHIMIN_BACKUP_RECIPIENT", "age1")
        secrets = {
            field.get_secret_value()
            for name, field in get_settings()
            if hasattr(field, "get_secret_value") and f"SHIMIN_{name.upper()}" not in OWN
        } - {""}
        serve.rasa()
    assert len(secrets) > 5
    assert {name for name in given if name.startswith("SHIMIN_")} == OWN | PLACES
    assert secrets.isdisjoint(given.values())
