"""A PostgreSQL server that holds profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import errors
from psycopg import sql as psql

from base.errors import ConfigurationError, InputError
from matcher.batch.query import PLACE
from matcher.batch.source import Family

__all__ = ["PostgreSQL"]

_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric"), "number"),
    "bool": "boolean",
    **dict.fromkeys(("text", "varchar", "bpchar"), "text"),
}


class PostgreSQL:
    """One session in one transaction; what it keeps is temporary.

    Args:
        url: ``postgresql://…``; the role needs to read the profiles, to make temporary tables
            and, for a target, to make a table in its schema.

    Raises:
        ConfigurationError: the server cannot be reached.
    """

    dialect = "postgres"

    def __init__(self, url: str) -> None:
        try:
            self._connection = psycopg.connect(url, connect_timeout=10)
        except psycopg.Error as error:
            raise ConfigurationError(f"SHIMIN_BATCH_URL: {_first_line(error)}") from error

    def columns(self, source: str) -> Mapping[str, Family]:
        """Return the columns; see :class:`matcher.batch.cluster.Cluster`."""
        try:
            cursor = self._connection.execute(
                psql.SQL("SELECT * FROM {} LIMIT 0").format(_table(source))
            )
        except psycopg.Error as error:
            raise InputError(
                "profiles_unreadable", "画像表无法读取。", f"{source}: {_first_line(error)}"
            ) from error
        types = self._connection.adapters.types
        found: dict[str, Family] = {}
        for column in cursor.description or ():
            info = types.get(column.type_code)
            found[column.name] = _FAMILIES.get(info.name if info else "", "other")
        return found

    def source(self, source: str) -> str:
        """Return the quoted name."""
        return _table(source).as_string(self._connection)

    def keep(self, name: str, query: str) -> None:
        """Make a temporary table."""
        self._connection.execute(f"CREATE TEMPORARY TABLE {name} AS {query}".encode())

    def numbers(self, query: str) -> Sequence[int]:
        """Return the one row of a query."""
        row = self._connection.execute(query.encode()).fetchone()
        assert row is not None
        return [int(value) for value in row]

    def write(self, query: str, target: str) -> None:
        """Make a table and commit."""
        name = _table(target).as_string(self._connection)
        try:
            self._connection.execute(f"CREATE TABLE {name} AS {query}".encode())
        except errors.DuplicateTable as error:
            raise InputError("target_taken", "输出表已经存在，没有覆盖。", target) from error
        self._connection.commit()

    def eligible(self, policies: Sequence[str], verdicts: str) -> str:
        """Return a query for the eligible pairs: the table is read once."""
        pairs = ", ".join(f"('{name}', v.{name})" for name in policies)
        return (
            f"SELECT e.policy, v.{PLACE} AS profile FROM {verdicts} v"
            f" CROSS JOIN LATERAL (VALUES {pairs}) AS e (policy, verdict) WHERE e.verdict = 2"
        )

    def close(self) -> None:
        """End the session; what it kept is gone."""
        self._connection.close()


def _table(name: str) -> psql.Identifier:
    return psql.Identifier(*name.split(".", 1))


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
