"""The desk's encrypted columns under the current key; see :mod:`store.rotation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Text, cast, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import flag_modified

from dispatch.desk.database import Database
from dispatch.desk.sealing import MARK, unseal
from dispatch.desk.tables import EventRow, RequestRow
from store.keyring import keyring, split
from store.privacy import Sealed

ROWS = 200

_TABLES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (RequestRow, ("description", "attributes", "contact")),
    (EventRow, ("description",)),
)


def desk_census(database: Database) -> dict[str, Counter[str]]:
    """Count the sealed values of every column by the id of the key they need."""
    found: dict[str, Counter[str]] = {}
    with database.reading() as session:
        for model, names in _TABLES:
            for name in names:
                stored = cast(getattr(model, name), Text)
                values = session.scalars(select(stored).where(stored.contains(MARK)))
                keys = (split(value.partition(MARK)[2].encode())[0] for value in values)
                found[f"{model.__tablename__}.{name}"] = Counter(keys)
    return found


def rotate_desk(database: Database) -> Iterator[tuple[str, int]]:
    """Seal again what an old key sealed, a batch of rows at a time.

    Yields:
        The table and how many of its rows were written, after each batch is committed.

    Raises:
        ConfigurationError: a value needs a key that is not among the present ones.
    """
    for model, names in _TABLES:
        while count := _rotate_batch(database, model, names):
            yield model.__tablename__, count


def _rotate_batch(database: Database, model: Any, names: tuple[str, ...]) -> int:
    with database.writing() as session:
        rows = _due(session, model, [getattr(model, name) for name in names])
        for row in rows:
            for name in names:
                value = getattr(row, name)
                if isinstance(value, Sealed):
                    setattr(row, name, unseal(value))
                flag_modified(row, name)
    return len(rows)


def _due(session: Session, model: Any, columns: list[InstrumentedAttribute[Any]]) -> list[Any]:
    current = MARK + keyring().mark.decode()
    texts = [cast(column, Text) for column in columns]
    old = [text.contains(MARK) & not_(text.contains(current)) for text in texts]
    return list(session.scalars(select(model).where(or_(*old)).order_by(model.pk).limit(ROWS)))
