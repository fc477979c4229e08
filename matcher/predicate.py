"""Conditions as SQL predicates over the profile's typed columns, under SQL's NULL logic.

A condition such as ``headcount < 300 AND scale IN ('micro', 'small')`` is parsed by sqlglot,
checked against a list of allowed nodes and against the column types, and compiled once.
Evaluation is Kleene's three-valued logic, which is SQL's: a missing column is NULL, and the
answer is true, false or unknown (``None``). :meth:`Predicate.to_sql` writes the same tree for
a database, so that one profile and a batch of a million are judged by one rule.

What is refused on purpose:

* ``IS NULL``, ``COALESCE`` and ``CASE``: they would turn "not known" into an answer;
* ``LEAST`` and ``GREATEST``: databases disagree on whether they skip NULL;
* sub-queries, casts, string functions: no condition of a policy needs them.

Division is real division, and NULL for a zero divisor, whatever the database does by default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from base.errors import ConfigurationError
from matcher.predicate_scale import with_bounds
from matcher.profile import ATTRIBUTES, SCALE_AT_MOST, Attribute
from matcher.scale import SCALE_ORDER

__all__ = ["Formula", "Predicate", "Scalar", "parse_formula", "parse_predicate"]

MAX_CHARS = 500
MAX_NODES = 120
MAX_DEPTH = 24
_WIDENED = 6
"""How many times larger a predicate may be once its conditions on the scale are widened."""
MAX_LITERAL = 1e12

Scalar = bool | int | float | str
Facts = Mapping[str, Scalar]
TermType = Literal["boolean", "number", "choice", "text"]


@dataclass(frozen=True, slots=True)
class _Term:
    """One checked and compiled node of a predicate."""

    type: TermType
    value: Callable[[Facts], Scalar | None]
    parts: tuple[_Term, ...] = ()
    columns: tuple[str, ...] = ()
    logical: bool = False
    attribute: Attribute | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A parsed condition of one kind of profile (``enterprise`` or ``resident``).

    ``columns`` are those its author wrote; the tree reads ``scale_at_most`` besides ``scale``
    (:mod:`matcher.predicate_scale`).
    """

    kind: str
    sql: str
    columns: tuple[str, ...]
    _term: _Term
    _tree: exp.Expr

    def evaluate(self, facts: Facts) -> bool | None:
        """Return true, false, or ``None`` when a missing column keeps it undecided."""
        result = self._term.value(facts)
        return None if result is None else bool(result)

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """Return the unknown columns that can still change the outcome, in reading order.

        An operand that no longer matters is left out: with ``a`` false,
        ``a AND b OR c`` misses ``c`` only.
        """
        return tuple(dict.fromkeys(_undecided(self._term, facts)))

    def tree(self) -> exp.Expr:
        """Return a copy of the checked tree, for another way of evaluating it."""
        return self._tree.copy()

    def to_sql(self, dialect: str) -> str:
        """Write the predicate for a database (``sqlite``, ``duckdb``, ``postgres``, ``spark``)."""
        return self._tree.sql(dialect=dialect)


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed amount over one kind of profile, such as ``rd_expense_wan * 0.2``."""

    kind: str
    sql: str
    columns: tuple[str, ...]
    _term: _Term
    _tree: exp.Expr

    def evaluate(self, facts: Facts) -> float | None:
        """Return the amount, or ``None`` when a missing column keeps it unknown."""
        result = self._term.value(facts)
        return None if result is None else float(result)

    def tree(self) -> exp.Expr:
        """Return a copy of the checked tree, for another way of evaluating it."""
        return self._tree.copy()


def parse_predicate(sql: str, kind: str) -> Predicate:
    """Parse, check and compile the condition ``sql`` over the columns of ``kind``.

    Raises:
        ConfigurationError: bad SQL, a node that is not allowed, an unknown column or choice
            value, operands of different types, or a predicate that is too large.
    """
    tree, term, columns = _compiled(sql, kind)
    if term.type != "boolean":
        raise ConfigurationError(f"not a condition but a {term.type}: {sql!r}")
    if not columns:
        raise ConfigurationError(f"the condition depends on no column: {sql!r}")
    return Predicate(kind=kind, sql=sql, columns=columns, _term=term, _tree=tree)


def parse_formula(sql: str, kind: str) -> Formula:
    """Parse, check and compile the amount ``sql``; a plain number is one, too.

    Raises:
        ConfigurationError: as :func:`parse_predicate`.
    """
    tree, term, columns = _compiled(sql, kind)
    if term.type != "number":
        raise ConfigurationError(f"not an amount but a {term.type}: {sql!r}")
    return Formula(kind=kind, sql=sql, columns=columns, _term=term, _tree=tree)


def _compiled(sql: str, kind: str) -> tuple[Any, _Term, tuple[str, ...]]:
    if kind not in ATTRIBUTES:
        raise ConfigurationError(f"unknown kind of profile: {kind}")
    if len(sql) > MAX_CHARS:
        raise ConfigurationError(f"predicate longer than {MAX_CHARS} characters")
    try:
        tree: Any = sqlglot.parse_one(sql)
    except (SqlglotError, RecursionError) as error:
        raise ConfigurationError(f"not a SQL predicate: {sql!r}") from error
    term = _Compiler(kind).compile(tree)
    columns = tuple(dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False)))
    widened = with_bounds(tree)
    if widened is not tree:
        tree, term = widened, _Compiler(kind, widened=True).compile(widened)
    return tree, term, columns


def _undecided(term: _Term, facts: Facts) -> list[str]:
    if term.value(facts) is not None:
        return []
    if term.logical:
        return [name for part in term.parts for name in _undecided(part, facts)]
    return [name for name in term.columns if facts.get(name) is None]


class _Compiler:
    """Checks a sqlglot tree node by node and compiles it; anything not listed is refused."""

    def __init__(self, kind: str, *, widened: bool = False) -> None:
        self._attributes = ATTRIBUTES[kind]
        self._kind = kind
        self._widened = widened
        self._size = _WIDENED if widened else 1
        self._nodes = 0
        self._depth = 0
        self._rules: dict[type[exp.Expr], Callable[[Any], _Term]] = {
            exp.Column: self._column,
            exp.Literal: self._literal,
            exp.Boolean: self._boolean,
            exp.Paren: lambda node: self.compile(node.this),
            exp.And: self._and,
            exp.Or: self._or,
            exp.Not: self._not,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Neg: self._negate,
            exp.Abs: self._abs,
            exp.Div: self._divide,
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
            **dict.fromkeys(_COMPARISONS, self._compare),
        }

    def compile(self, node: Any) -> _Term:
        """Compile one node and everything below it."""
        self._nodes += 1
        if self._nodes > MAX_NODES * self._size or self._depth >= MAX_DEPTH * self._size:
            raise ConfigurationError("predicate too large or nested too deeply")
        rule = self._rules.get(type(node))
        if rule is None:
            raise ConfigurationError(f"not allowed in a condition: {node.sql()[:80]!r}")
        self._depth += 1
        try:
            return rule(node)
        finally:
            self._depth -= 1

    def _column(self, node: exp.Column) -> _Term:
        name = node.name
        if self._widened and name == SCALE_AT_MOST.name:
            return _Term("choice", _scale_at_most, attribute=SCALE_AT_MOST)
        attribute = self._attributes.get(name)
        if attribute is None or node.table:
            raise ConfigurationError(f"{self._kind} profiles have no column {node.sql()!r}")
        kind: TermType = "number" if attribute.type in ("integer", "number") else _plain(attribute)
        return _Term(kind, lambda facts: facts.get(name), columns=(name,), attribute=attribute)

    def _literal(self, node: exp.Literal) -> _Term:
        if node.is_string:
            text = str(node.this)
            return _Term("text", lambda _: text, text=text)
        number = _number(str(node.this))
        return _Term("number", lambda _: number)

    def _boolean(self, node: exp.Boolean) -> _Term:
        truth = bool(node.this)
        return _Term("boolean", lambda _: truth)

    def _operands(self, node: exp.Expr, *keys: str, wanted: TermType) -> tuple[_Term, ...]:
        parts = tuple(self.compile(node.args[key]) for key in keys)
        for part in parts:
            _expect(part, wanted, node)
        return parts

    def _and(self, node: exp.And) -> _Term:
        left, right = self._operands(node, "this", "expression", wanted="boolean")
        return _Term("boolean", lambda f: _both(left.value(f), right.value(f)), *_join(left, right))

    def _or(self, node: exp.Or) -> _Term:
        left, right = self._operands(node, "this", "expression", wanted="boolean")
        return _Term(
            "boolean", lambda f: _either(left.value(f), right.value(f)), *_join(left, right)
        )

    def _not(self, node: exp.Not) -> _Term:
        (part,) = self._operands(node, "this", wanted="boolean")
        return _Term("boolean", lambda f: _opposite(part.value(f)), *_join(part))

    def _in(self, node: exp.In) -> _Term:
        listed = node.args.get("expressions") or []
        if not listed or any(value for key, value in node.args.items() if key not in _IN_KEYS):
            raise ConfigurationError(f"IN needs a list of values: {node.sql()[:80]!r}")
        subject = self.compile(node.this)
        items = [self.compile(item) for item in listed]
        if any(item.columns for item in items):
            raise ConfigurationError(f"IN takes literals only: {node.sql()[:80]!r}")
        for item in items:
            _comparable(subject, item, node)
        values = frozenset(item.value({}) for item in items)
        return _Term(
            "boolean",
            lambda f: None if (found := subject.value(f)) is None else found in values,
            columns=subject.columns,
        )

    def _between(self, node: exp.Between) -> _Term:
        if node.args.get("symmetric"):
            raise ConfigurationError("BETWEEN SYMMETRIC is not allowed")
        subject, low, high = self._operands(node, "this", "low", "high", wanted="number")

        def value(facts: Facts) -> bool | None:
            above = _apply(_COMPARISONS[exp.GTE], subject.value(facts), low.value(facts))
            below = _apply(_COMPARISONS[exp.LTE], subject.value(facts), high.value(facts))
            return _both(above, below)

        return _Term("boolean", value, columns=subject.columns + low.columns + high.columns)

    def _negate(self, node: exp.Neg) -> _Term:
        (part,) = self._operands(node, "this", wanted="number")
        return _Term("number", lambda f: _apply(_minus, 0, part.value(f)), columns=part.columns)

    def _abs(self, node: exp.Abs) -> _Term:
        (part,) = self._operands(node, "this", wanted="number")
        return _Term("number", lambda f: _apply(_magnitude, part.value(f), 0), columns=part.columns)

    def _divide(self, node: exp.Div) -> _Term:
        node.set("typed", False)  # real division in every dialect
        node.set("safe", True)  # NULL for a zero divisor in every dialect
        return self._arithmetic(node)

    def _arithmetic(self, node: exp.Binary) -> _Term:
        left, right = self._operands(node, "this", "expression", wanted="number")
        operation = _ARITHMETIC.get(type(node), _quotient)
        return _Term(
            "number",
            lambda f: _apply(operation, left.value(f), right.value(f)),
            columns=left.columns + right.columns,
        )

    def _compare(self, node: exp.Binary) -> _Term:
        left, right = self.compile(node.this), self.compile(node.expression)
        _comparable(left, right, node)
        if left.type != "number" and type(node) not in (exp.EQ, exp.NEQ):
            raise ConfigurationError(f"only numbers have an order: {node.sql()[:80]!r}")
        operation = _COMPARISONS[type(node)]
        return _Term(
            "boolean",
            lambda f: _apply(operation, left.value(f), right.value(f)),
            columns=left.columns + right.columns,
        )


_IN_KEYS = {"this", "expressions"}


def _scale_at_most(facts: Facts) -> Scalar:
    """Never unknown, hence never asked for: what bounds nothing is the greatest scale."""
    return facts.get(SCALE_AT_MOST.name) or facts.get("scale") or SCALE_ORDER[-1]


def _plain(attribute: Attribute) -> TermType:
    return "boolean" if attribute.type == "boolean" else "choice"


def _number(text: str) -> int | float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > MAX_LITERAL:
        raise ConfigurationError(f"number out of range: {text[:40]}")
    return int(text) if text.isdigit() else value


def _expect(term: _Term, wanted: TermType, node: exp.Expr) -> None:
    if term.type != wanted:
        raise ConfigurationError(f"{wanted} expected, {term.type} found: {node.sql()[:80]!r}")


def _comparable(left: _Term, right: _Term, node: exp.Expr) -> None:
    """Check that two operands have one type, and that a choice's value exists."""
    for one, other in ((left, right), (right, left)):
        if one.attribute is not None and one.type == "choice" and other.type == "text":
            known = {choice.value for choice in one.attribute.choices}
            if other.text not in known:
                raise ConfigurationError(f"{one.attribute.name} has no value {other.text!r}")
            return
    if left.type != right.type or left.type not in ("number", "boolean"):
        raise ConfigurationError(
            f"cannot compare {left.type} with {right.type}: {node.sql()[:80]!r}"
        )


def _join(*parts: _Term) -> tuple[tuple[_Term, ...], tuple[str, ...], bool]:
    return parts, tuple(name for part in parts for name in part.columns), True


def _both(left: Any, right: Any) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _either(left: Any, right: Any) -> bool | None:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def _opposite(value: Any) -> bool | None:
    return None if value is None else not value


def _apply(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    return None if left is None or right is None else operation(left, right)


def _minus(left: Any, right: Any) -> Any:
    return _bounded(left) - _bounded(right)


def _magnitude(value: Any, _: Any) -> Any:
    return abs(value)


def _quotient(left: Any, right: Any) -> Any:
    return None if right == 0 else _bounded(left) / _bounded(right)


def _bounded(value: Any) -> Any:
    """An integer beyond 64 bits becomes a float, as it does in a database."""
    return float(value) if isinstance(value, int) and abs(value) >= 2**63 else value


_ARITHMETIC: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.Add: lambda left, right: _bounded(left) + _bounded(right),
    exp.Sub: _minus,
    exp.Mul: lambda left, right: _bounded(left) * _bounded(right),
}

_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.EQ: lambda left, right: left == right,
    exp.NEQ: lambda left, right: left != right,
    exp.LT: lambda left, right: left < right,
    exp.LTE: lambda left, right: left <= right,
    exp.GT: lambda left, right: left > right,
    exp.GTE: lambda left, right: left >= right,
}
