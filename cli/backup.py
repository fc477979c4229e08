"""``shimin backup``, ``restore`` and ``backup-key`` (docs/backup.md)."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from base.errors import ConfigurationError
from base.settings import get_settings
from store.backup.whole import Extent, back_up, restore

_File = Annotated[Path, typer.Argument(help="The archive.", dir_okay=False)]


def backup(file: _File) -> None:
    """Write database, photos and the city's files into one archive, while everything runs."""
    began = time.monotonic()
    extent = back_up(file, get_settings())
    size = file.stat().st_size / 1e6
    typer.echo(f"{file}: {_told(extent)}, {size:.1f} MB in {time.monotonic() - began:.1f} s")


def restore_backup(
    file: _File,
    key: Annotated[Path, typer.Option("--key", help="The private key's file.", exists=True)],
    force: Annotated[bool, typer.Option("--force", help="Delete what is there first.")] = False,
    city: Annotated[
        Path | None, typer.Option("--city", help="Unpack the city's files into this folder.")
    ] = None,
) -> None:
    """Put an archive back; every other process must be stopped."""
    lines = key.read_text(encoding="utf-8").splitlines()
    identity = next((line for line in lines if line and not line.startswith("#")), "")
    began = time.monotonic()
    extent = restore(file, identity, get_settings(), force=force, city=city)
    typer.echo(f"restored {_told(extent)} in {time.monotonic() - began:.1f} s")


def backup_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes.", dir_okay=False)],
) -> None:
    """Make a key pair: the private key into a file to keep elsewhere, the public one shown."""
    from pyrage import x25519

    identity = x25519.Identity.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(f"{file} exists and is left alone") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(f"# public key: {identity.to_public()}\n{identity}\n")
    typer.echo(f"SHIMIN_BACKUP_RECIPIENT={identity.to_public()}")


def _told(extent: Extent) -> str:
    return (
        f"{extent.rows} rows of {extent.tables} tables, {extent.media} media files, "
        f"{extent.city_files} files of the city"
    )
