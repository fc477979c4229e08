"""Pins every dependency of both runtimes with uv: ``python tools/lock.py``."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = [str(ROOT / ".venv" / "bin" / "uv"), "pip", "compile", "--no-header", "--no-annotate", "-q"]
GPU = ("nvidia-", "cuda-", "triton==")


def main() -> None:
    """Rewrite the three lock files."""
    modern = ["--python-version", "3.11"]
    run(["pyproject.toml", "-o", "requirements.lock", *modern])
    test = ["--extra", "hub", "--extra", "dev", "-c", "requirements.lock", *modern]
    run(["pyproject.toml", "-o", "requirements-test.lock", *test])
    drop_gpu_packages(ROOT / "requirements-test.lock")
    run(["bot/requirements.in", "-o", "bot/requirements.lock", "--python-version", "3.10"])


def drop_gpu_packages(lock: Path) -> None:
    """Leave out what torch needs on a GPU only: the engine runs on the CPU.

    Where the CPU build of torch is offered (``+cpu``), pip takes it and needs none of these.
    """
    lines = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join(line for line in lines if not line.startswith(GPU)))


def run(arguments: list[str]) -> None:
    """Run uv; a failure ends the program."""
    subprocess.run([*UV, *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
