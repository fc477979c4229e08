"""Writing everything that is encrypted again, under the current key.

What still needs an old key is found in the data itself: every value begins with the id of its
key (:mod:`store.keyring`). So a rotation that was broken off goes on where it stopped, and what
is written meanwhile by a process that does not know the new key yet is found by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import Column, LargeBinary, Table, func, or_, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session

from base.errors import ConfigurationError
from store.blobs import PARTIAL, blob_store
from store.database import reading, unit_of_work
from store.every_table import load_tables
from store.file_cipher import HEAD_BYTES, key_of, open_file, seal_file
from store.keyring import ID_CHARS, keyring, split
from store.models import Base, utc_now
from store.privacy import Encrypted, Sealed

ROWS = 200
"""Rows a unit of work: a writer of SQLite waits for some milliseconds, not for the whole table."""


@dataclass(frozen=True)
class Place:
    """Where encrypted values lie: a column, or the media store."""

    name: str
    keys: Counter[str]

    def needing_old(self, current: str) -> int:
        """Return how many values were not written with the current key."""
        return sum(count for key, count in self.keys.items() if key != current)


def encrypted_columns() -> list[tuple[Table, list[Column[Any]]]]:
    """Return every table of the store that has encrypted columns, with them."""
    load_tables()
    found = []
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, Encrypted)]
        if columns:
            found.append((table, columns))
    return found


def census() -> list[Place]:
    """Count the values of every column, and the files, by the id of the key they need.

    Raises:
        UpstreamError: ``media_unavailable``.
    """
    places = []
    with reading() as session:
        for table, columns in encrypted_columns():
            places += [_column_census(session, table, column) for column in columns]
    files = Counter(key for _, key in _files())
    return [*places, Place("media", files)]


def _column_census(session: Session, table: Table, column: Column[Any]) -> Place:
    start = func.substr(type_coerce(column, LargeBinary), 1, ID_CHARS + 1)
    rows = session.execute(
        select(start, func.count()).select_from(table).where(column.is_not(None)).group_by(start)
    )
    keys: Counter[str] = Counter()
    for beginning, count in rows:
        keys[split(bytes(beginning))[0]] += count
    return Place(f"{table.name}.{column.name}", keys)


# --- columns ------------------------------------------------------------------------------


def rotate_columns() -> Iterator[tuple[str, int]]:
    """Encrypt again what an old key encrypted, a batch of rows at a time.

    Yields:
        The table and how many of its rows were written, after each batch is committed.

    Raises:
        ConfigurationError: a value needs a key that is not among the present ones.
    """
    for table, columns in encrypted_columns():
        after: tuple[Any, ...] | None = None
        while True:
            with unit_of_work() as session:
                rows = _due(session, table, columns, after)
                for row in rows:
                    _rewrite(session, table, columns, row)
            if not rows:
                break
            after = tuple(rows[-1])[: len(table.primary_key)]
            yield table.name, len(rows)


def _due(
    session: Session, table: Table, columns: list[Column[Any]], after: tuple[Any, ...] | None
) -> list[Any]:
    """Read and lock the next rows with an old value: nobody changes them until they are written."""
    mark = keyring().mark
    raw = [type_coerce(column, LargeBinary) for column in columns]
    old = [func.substr(value, 1, len(mark)) != mark for value in raw]
    query = select(*table.primary_key, *raw).where(or_(*old))
    if after is not None:
        query = query.where(tuple_(*table.primary_key) > after)
    query = query.order_by(*table.primary_key).limit(ROWS).with_for_update()
    return list(session.execute(query).all())


def _rewrite(session: Session, table: Table, columns: list[Column[Any]], row: Any) -> None:
    names = list(table.primary_key)
    key, values = tuple(row)[: len(names)], tuple(row)[len(names) :]
    fresh = {}
    for column, value in zip(columns, values, strict=True):
        if value is not None and not bytes(value).startswith(keyring().mark):
            name = f"{table.name}:{'/'.join(map(str, key))}.{column.name}"
            fresh[column.name] = Sealed(_resealed(bytes(value), name))  # stored as it is
    same = [column == part for column, part in zip(names, key, strict=True)]
    session.execute(update(table).where(*same).values(fresh))


def _resealed(token: bytes, name: str) -> bytes:
    try:
        return keyring().seal(keyring().open(token))
    except InvalidToken as error:
        needed = split(token)[0] or "of an older version"
        raise ConfigurationError(
            f"{name} needs key {needed}, which is not in SHIMIN_DATA_KEYS_OLD"
        ) from error


# --- files --------------------------------------------------------------------------------


def rotate_files() -> Iterator[str]:
    """Encrypt again the files an old key encrypted.

    A crash leaves each file whole, as it was or as it will be.

    Yields:
        The name of each file that was written.

    Raises:
        ConfigurationError: a file needs a key that is not among the present ones.
        UpstreamError: ``media_unavailable``.
    """
    store = blob_store()
    current = keyring().current
    for name, key in _files():
        if key == current:
            continue
        try:
            sealed = store.get(name)
        except LookupError:  # deleted meanwhile
            continue
        store.put(name, seal_file(open_file(sealed, name), name))
        yield name


def _files() -> Iterator[tuple[str, str]]:
    """Name every file of the media store with the id of the key it needs."""
    store = blob_store()
    for name in store.keys(utc_now() + timedelta(days=1)):
        if name.endswith(PARTIAL):
            continue
        try:
            yield name, key_of(store.start(name, HEAD_BYTES))
        except LookupError:  # deleted meanwhile
            continue
