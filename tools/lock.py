"""Pins every dependency of both runtimes with uv: ``python tools/lock.py``."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = [str(ROOT / ".venv" / "bin" / "uv"), "pip", "compile", "--no-header", "--no-annotate", "-q"]
GPU = ("nvidia-", "cuda-", "triton==")
"""Needed by torch on a GPU only; where its CPU build is offered (``+cpu``), pip takes that."""
JAX = ("jax==", "jaxlib==", "ml-dtypes==")
"""TensorFlow names jax for converting models and imports it when it is there: 65 MB for nothing."""


def main() -> None:
    """Rewrite the three lock files."""
    modern = ["--python-version", "3.11"]
    voice = ["--extra", "voice"]
    run(["pyproject.toml", "-o", "requirements.lock", *voice, *modern])
    test = [*voice, "--extra", "sherpa", "--extra", "hub", "--extra", "dev"]
    known = ["-c", "requirements.lock"]
    run(["pyproject.toml", "-o", "requirements-test.lock", *test, *known, *modern])
    drop(GPU, ROOT / "requirements-test.lock")
    run(["bot/requirements.in", "-o", "bot/requirements.lock", "--python-version", "3.10"])
    drop(JAX, ROOT / "bot" / "requirements.lock")  # installed with --no-deps


def drop(packages: tuple[str, ...], lock: Path) -> None:
    """Leave packages out of a lock file; ``packages`` are beginnings of lines."""
    lines = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join(line for line in lines if not line.startswith(packages)))


def run(arguments: list[str]) -> None:
    """Run uv; a failure ends the program."""
    subprocess.run([*UV, *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
