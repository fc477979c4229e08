"""Running Python of the Rasa runtime (.venv-rasa) with a small, clean environment."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from base.errors import ConfigurationError
from base.settings import ROOT, get_settings

MODEL = "shimin.tar.gz"
"""File name of the trained model under ``settings.model_dir``."""

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ")


def call_rasa(*arguments: str) -> None:
    """Run the Rasa runtime's Python from the project root; its output goes to stderr.

    Raises:
        ConfigurationError: the runtime is missing or the command fails.
    """
    finished = subprocess.run(  # noqa: S603 - our own interpreter, no shell
        [str(_python()), "-W", "ignore", *arguments],
        cwd=ROOT,
        env=_environment({}),
        stdout=2,
        check=False,
    )
    if finished.returncode:
        command = " ".join(arguments[:3])
        raise ConfigurationError(f"rasa: {command} failed with code {finished.returncode}")


def run_rasa(arguments: Sequence[str], secrets: dict[str, str]) -> None:
    """Replace this process by the Rasa runtime's Python.

    Raises:
        ConfigurationError: the runtime is missing.
    """
    python = str(_python())
    os.chdir(ROOT)
    os.execve(python, [python, "-W", "ignore", *arguments], _environment(secrets))  # noqa: S606


def _python() -> Path:
    python = get_settings().rasa_venv / "bin" / "python"
    if not python.is_file():
        raise ConfigurationError(f"{python} does not exist; `make setup` creates it")
    return python


def _environment(secrets: dict[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **kept,
        **secrets,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYPINYIN_NO_PHRASES": "true",  # single characters are all we ask it for
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "RASA_TELEMETRY_ENABLED": "false",
    }
