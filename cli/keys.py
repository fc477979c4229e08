"""``shimin keys``: development secrets in ``.env``, and the rotation of keys."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import typer
from cryptography.fernet import Fernet

from base.settings import ROOT
from cli import key_rotation

app = typer.Typer()
app.command()(key_rotation.rotate)
app.command()(key_rotation.status)

_FERNET = ("SHIMIN_DATA_KEY", "SHIMIN_TRACKER_KEY")
_TOKENS = (
    "SHIMIN_API_KEY",
    "SHIMIN_SESSION_KEY",
    "SHIMIN_WEBHOOK_SECRET",
    "SHIMIN_DISPATCH_API_KEY",
    "SHIMIN_DESK_PASSWORD",
    "SHIMIN_RASA_TOKEN",
    "SHIMIN_AUDIT_KEY",
)


@app.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """Add every secret that is missing to ``.env`` (readable by its owner only).

    A secret set in the environment or already in the file is left alone: losing
    SHIMIN_DATA_KEY means losing the personal data it encrypts.
    """
    if context.invoked_subcommand is not None:
        return
    path = ROOT / ".env"
    present = _names_in(path) | set(os.environ)
    fresh = [f"{name}={Fernet.generate_key().decode()}" for name in _FERNET if name not in present]
    fresh += [f"{name}={secrets.token_urlsafe(24)}" for name in _TOKENS if name not in present]
    if not fresh:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)  # a file that was already there may be open to others
    lead = "\n" if _ends_mid_line(path) else ""
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(lead + "\n".join(fresh) + "\n")
    typer.echo(f"generated {len(fresh)} development secrets in {path}")


def _ends_mid_line(path: Path) -> bool:
    written = path.read_bytes()
    return bool(written) and not written.endswith(b"\n")


def _names_in(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.split("=", 1)[0].strip() for line in lines if "=" in line}
