"""``shimin keys rotate`` and ``shimin keys status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from sqlalchemy.engine import make_url

from base.settings import get_settings

if TYPE_CHECKING:
    from dispatch.desk.database import Database

EVERY_FILES = 100
"""Files between two lines of progress."""


def rotate() -> None:
    """Encrypt every row and file again under the current key; may be broken off and repeated.

    Give all processes the new SHIMIN_DATA_KEY first, and the former one in SHIMIN_DATA_KEYS_OLD.
    Ends with code 1 while anything still needs an old key.
    """
    from store.rotation import rotate_columns, rotate_files

    _batches(rotate_columns())
    with _desk() as database:
        if database is not None:
            from dispatch.desk.rotation import rotate_desk

            _batches(rotate_desk(database))
    files = 0
    for files, _ in enumerate(rotate_files(), start=1):
        if files % EVERY_FILES == 0:
            typer.echo(f"media: {files} files")
    typer.echo(f"media: {files} files written")
    status()


def status() -> None:
    """Count what needs which key; code 1 while anything needs an old one."""
    from store.keyring import NO_ID, keyring
    from store.rotation import census

    current = keyring().current
    places = [(place.name, place.keys) for place in census()]
    with _desk() as database:
        if database is not None:
            from dispatch.desk.rotation import desk_census

            places += desk_census(database).items()
    old: Counter[str] = Counter()
    for name, keys in places:
        if keys:
            named = {key or "without id": count for key, count in sorted(keys.items())}
            typer.echo(f"{name}: " + ", ".join(f"{key} {n}" for key, n in named.items()))
        old.update({key: count for key, count in keys.items() if key != current})
    if old:
        kinds = ", ".join(key if key != NO_ID else "without id" for key in sorted(old))
        typer.echo(f"{old.total()} values need an old key ({kinds})", err=True)
        raise typer.Exit(1)
    typer.echo(f"no old key is needed: everything is under {current}")


def _batches(batches: Iterable[tuple[str, int]]) -> None:
    done: Counter[str] = Counter()
    for table, rows in batches:
        done[table] += rows
        typer.echo(f"{table}: {done[table]} rows")


@contextmanager
def _desk() -> Iterator[Database | None]:
    """Open the desk's database if this installation has one."""
    from dispatch.desk.database import Database

    url = get_settings().desk_database_url
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        yield None
        return
    database = Database(url)
    try:
        yield database
    finally:
        database.close()
