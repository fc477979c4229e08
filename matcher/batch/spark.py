"""A Spark cluster that holds profiles as Parquet, or as tables of its catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from base.errors import ConfigurationError, InputError
from matcher.batch.query import PLACE
from matcher.batch.source import Family

try:
    from pyspark.errors import AnalysisException, PySparkException
    from pyspark.sql import SparkSession
except ImportError as error:  # pragma: no cover - the extra is installed where this runs
    raise ConfigurationError("engine spark: pip install 'shimin[spark]', with Java 17") from error

__all__ = ["Spark"]

_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(
        ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal"), "number"
    ),
    "boolean": "boolean",
    **dict.fromkeys(("string", "varchar", "char"), "text"),
}


class Spark:
    """One application; what it keeps is cached on the cluster until the end.

    A source or target with a ``/`` is the URL of Parquet files (``file:``, ``hdfs:``, ``s3a:`` …
    as the cluster knows them), any other a table of the catalogue.

    Args:
        master: ``local[2]``, ``spark://host:7077``, ``yarn`` …

    Raises:
        ConfigurationError: no application can be started there.
    """

    dialect = "spark"

    def __init__(self, master: str) -> None:
        try:
            self._session = (
                SparkSession.builder.appName("shimin-batch")
                .master(master)
                .config("spark.ui.enabled", "false")
                .config("spark.sql.session.timeZone", "Asia/Shanghai")
                .getOrCreate()
            )
        except (PySparkException, OSError) as error:
            raise ConfigurationError(f"SHIMIN_BATCH_URL: {_first_line(error)}") from error

    def columns(self, source: str) -> Mapping[str, Family]:
        """Return the columns; see :class:`matcher.batch.cluster.Cluster`."""
        try:
            frame = (
                self._session.read.parquet(source) if "/" in source else self._session.table(source)
            )
        except AnalysisException as error:
            raise InputError(
                "profiles_unreadable", "画像数据无法读取。", f"{source}: {_first_line(error)}"
            ) from error
        frame.createOrReplaceTempView("shimin_source")
        return {
            name.lower(): _FAMILIES.get(type_.split("(", 1)[0], "other")
            for name, type_ in frame.dtypes
        }

    def source(self, source: str) -> str:  # noqa: ARG002 - the view that was made of it
        """Return the name of the view."""
        return "shimin_source"

    def keep(self, name: str, query: str) -> None:
        """Cache a view."""
        self._session.sql(query).createOrReplaceTempView(name)
        self._session.catalog.cacheTable(name)

    def numbers(self, query: str) -> Sequence[int]:
        """Return the one row of a query."""
        (row,) = self._session.sql(query).collect()
        return [int(value) for value in row]

    def write(self, query: str, target: str) -> None:
        """Write Parquet files or a table."""
        writer = self._session.sql(query).write.mode("error")
        try:
            writer.parquet(target) if "/" in target else writer.saveAsTable(target)
        except AnalysisException as error:
            raise InputError("target_taken", "输出位置已经有数据，没有覆盖。", target) from error

    def eligible(self, policies: Sequence[str], verdicts: str) -> str:
        """Return a query for the eligible pairs: the verdicts are read once."""
        ids = ", ".join(f"CASE WHEN {name} = 2 THEN '{name}' END" for name in policies)
        exploded = f"SELECT {PLACE} AS profile, explode(array({ids})) AS policy FROM {verdicts}"
        return f"SELECT policy, profile FROM ({exploded}) WHERE policy IS NOT NULL"

    def close(self) -> None:
        """End the application."""
        self._session.stop()


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
