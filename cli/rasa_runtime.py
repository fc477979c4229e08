"""Running Python of the Rasa runtime (.venv-rasa) with a small, clean environment."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from base.errors import ConfigurationError
from base.settings import ROOT, get_settings

MODEL = "shimin.tar.gz"
"""File name of the trained model under ``settings.model_dir``."""

CORES = os.cpu_count() or 1
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Usage:
    """What a command took: wall-clock ``seconds`` and the peak of its memory (RSS) in MB."""

    seconds: float
    peak_mb: float


def call_rasa(*arguments: str, threads: int = 1) -> Usage:
    """Run the Rasa runtime's Python from the project root; its output goes to stderr.

    Args:
        arguments: those of the interpreter.
        threads: of linear algebra; a server uses one, see ``bot.components.intent_features``.

    Raises:
        ConfigurationError: the runtime is missing or the command fails.
    """
    started = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [str(_python()), "-W", "ignore", *arguments],
        cwd=ROOT,
        env=_environment({}, threads),
        stdout=2,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        command = " ".join(arguments[:3])
        raise ConfigurationError(f"rasa: {command} failed with code {process.returncode}")
    return Usage(time.monotonic() - started, usage.ru_maxrss / 1024)


def run_rasa(arguments: Sequence[str], secrets: dict[str, str]) -> None:
    """Replace this process by the Rasa runtime's Python.

    Raises:
        ConfigurationError: the runtime is missing.
    """
    python = str(_python())
    os.chdir(ROOT)
    os.execve(python, [python, "-W", "ignore", *arguments], _environment(secrets, 1))  # noqa: S606


def _python() -> Path:
    python = get_settings().rasa_venv / "bin" / "python"
    if not python.is_file():
        raise ConfigurationError(f"{python} does not exist; `make setup` creates it")
    return python


def _environment(secrets: dict[str, str], threads: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **kept,
        **secrets,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": str(threads),
        "PYPINYIN_NO_PHRASES": "true",  # single characters are all we ask it for
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_MAX_CACHE_SIZE": "0",  # its training cache sees a component's class, not its modules
    }
