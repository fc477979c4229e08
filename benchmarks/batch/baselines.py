"""What the batch engine is held against: a Python loop, pandas, and DuckDB used naively."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlglot import exp

from matcher.batch.query import completed_select
from matcher.eligibility import evaluate
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Kind, Profile, complete

Codes = dict[str, npt.NDArray[np.uint8]]
CODES = {"eligible": 2, "possible": 1, "ineligible": 0}


def python_loop(kind: Kind, frame: pd.DataFrame, policies: Sequence[Policy]) -> Codes:
    """One profile after the other, one policy after the other: the evaluation of a chat."""
    columns = list(ATTRIBUTES[kind])
    found = {policy.id: np.zeros(len(frame), dtype=np.uint8) for policy in policies}
    rows = frame[columns].astype(object).where(frame[columns].notna(), None).to_dict("records")
    for number, row in enumerate(rows):
        facts = {name: value for name, value in row.items() if value is not None}
        profile = complete(Profile(kind, "x", facts))
        for policy in policies:
            found[policy.id][number] = CODES[evaluate(policy, profile).verdict]
    return found


def pandas_nullable(frame: pd.DataFrame, policies: Sequence[Policy]) -> Codes:
    """Condition after condition over whole columns of pandas' nullable types (Kleene logic).

    ``frame`` has the derived columns filled in.
    """
    codes = {}
    for policy in policies:
        verdict: Any = True
        for predicate in policy.predicates:
            verdict = _pandas(predicate.tree(), frame) & verdict
        filled = verdict.to_numpy(dtype="uint8", na_value=1)
        codes[policy.id] = np.where(verdict.isna(), 1, filled * 2).astype(np.uint8)
    return codes


_PANDAS: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.And: operator.and_,
    exp.Or: operator.or_,
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
}


def _pandas(node: Any, frame: pd.DataFrame) -> Any:
    if isinstance(node, exp.Paren):
        return _pandas(node.this, frame)
    if isinstance(node, exp.Column):
        return frame[node.name]
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else float(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Not):
        return ~_pandas(node.this, frame)
    if isinstance(node, exp.Neg):
        return -_pandas(node.this, frame)
    if isinstance(node, exp.Abs):
        return abs(_pandas(node.this, frame))
    if isinstance(node, exp.In):
        column = _pandas(node.this, frame)
        listed = column.isin([_pandas(item, frame) for item in node.expressions])
        return listed.astype("boolean").mask(column.isna())
    if isinstance(node, exp.Between):
        column = _pandas(node.this, frame)
        low, high = (_pandas(node.args[key], frame) for key in ("low", "high"))
        return (column >= low) & (column <= high)
    left, right = _pandas(node.this, frame), _pandas(node.expression, frame)
    if isinstance(node, exp.Div):
        return left / (right.mask(right == 0) if isinstance(right, pd.Series) else right)
    return _PANDAS[type(node)](left, right)


def duckdb_by_policy(
    kind: Kind, connection: duckdb.DuckDBPyConnection, policies: Sequence[Policy]
) -> Codes:
    """One query a policy over nullable columns with SQL's own three-valued logic."""
    everything = completed_select(kind, "profiles", list(ATTRIBUTES[kind]))
    connection.execute(f"CREATE OR REPLACE TABLE completed AS {everything}")
    codes = {}
    for policy in policies:
        joined = " AND ".join(f"({p.to_sql('duckdb')})" for p in policy.predicates)
        query = f"SELECT CASE WHEN ({joined}) THEN 2 WHEN ({joined}) IS NULL THEN 1 ELSE 0 END v"
        found = connection.execute(f"{query}, place FROM completed").fetchnumpy()
        codes[policy.id] = found["v"].astype(np.uint8)[np.argsort(found["place"])]
    connection.execute("DROP TABLE completed")
    return codes
