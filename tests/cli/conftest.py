"""Running the command line in an isolated installation: as a process, or in this one."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from cli.main import main
from tests.isolated import isolated, isolated_environment
from tests.stack import ROOT, SHIMIN


@dataclass(frozen=True)
class Done:
    """How a command ended, in the words of ``subprocess.CompletedProcess``."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., "subprocess.CompletedProcess[str]"]
Command = Callable[..., Done]


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    return isolated_environment(tmp_path)


@pytest.fixture
def shimin(installation: dict[str, str]) -> Run:
    def run(*arguments: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SHIMIN), *arguments],
            cwd=ROOT,
            env={**os.environ, **installation, **more},
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command configures the logs of its process; this one goes on with its own."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Done]]:
    """Run a command in this process, where encoder and indexes are loaded once."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        output = capsys.readouterr()
        return Done(int(ended.value.code or 0), output.out, output.err)

    with isolated(tmp_path):
        yield run
