"""Three-valued conditions as pairs of two-valued ones: what certainly holds, what possibly holds.

A condition is unknown where it possibly holds and does not certainly hold. AND and OR work on
each of the two alone, NOT exchanges them, so that Kleene's logic (Kleene, *Introduction to
Metamathematics*, §64) comes out exactly and no database has to carry a NULL through it. That is
what makes a batch fast: engines compare whole vectors, but handle NULLs row by row
(docs/batch.md has the figures).

The columns are those of :mod:`matcher.batch.encoding`, in which an unknown value is a number of
its own: a comparison that must be certain excludes it, one that may be possible includes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlglot import exp

from matcher.batch.encoding import TRUE, UNKNOWN_CODE, UNKNOWN_NUMBER, code_of, unknown_of
from matcher.predicate import Predicate
from matcher.profile import ATTRIBUTES, SCALE_AT_MOST, Attribute

__all__ = ["Bounds", "bounds"]


class Bounds(NamedTuple):
    """Two SQL conditions over encoded columns; ``certain`` implies ``possible``."""

    certain: exp.Expr
    possible: exp.Expr


def bounds(predicate: Predicate) -> Bounds:
    """Return when ``predicate`` is certainly true and when it is possibly true.

    For every profile: true is (1, 1), unknown is (0, 1), false is (0, 0).
    """
    return _Bounder(predicate.kind).bound(predicate.tree())


class _Bounder:
    """Walks a checked predicate tree (matcher.predicate refuses everything not handled here)."""

    def __init__(self, kind: str) -> None:
        self._attributes = {**ATTRIBUTES[kind], SCALE_AT_MOST.name: SCALE_AT_MOST}

    def bound(self, node: Any) -> Bounds:
        """Return the bounds of one boolean node."""
        rules: dict[type[exp.Expr], Callable[[Any], Bounds]] = {
            exp.Paren: lambda n: self.bound(n.this),
            exp.And: lambda n: self._both(self.bound(n.this), self.bound(n.expression)),
            exp.Or: lambda n: self._either(self.bound(n.this), self.bound(n.expression)),
            exp.Not: lambda n: self._opposite(self.bound(n.this)),
            exp.Boolean: lambda n: Bounds(n.copy(), n.copy()),
            exp.Column: self._flag,
            exp.In: self._in,
            exp.Between: self._between,
        }
        return rules.get(type(node), self._compare)(node)

    @staticmethod
    def _both(left: Bounds, right: Bounds) -> Bounds:
        return Bounds(
            exp.and_(left.certain, right.certain), exp.and_(left.possible, right.possible)
        )

    @staticmethod
    def _either(left: Bounds, right: Bounds) -> Bounds:
        return Bounds(exp.or_(left.certain, right.certain), exp.or_(left.possible, right.possible))

    @staticmethod
    def _opposite(inner: Bounds) -> Bounds:
        return Bounds(exp.not_(inner.possible), exp.not_(inner.certain))

    def _flag(self, node: exp.Column) -> Bounds:
        column = exp.column(node.name)
        return Bounds(column.eq(TRUE), _one_of(column, [TRUE, UNKNOWN_CODE]))

    def _in(self, node: exp.In) -> Bounds:
        if self._is_logical(node.this):
            equal = [exp.EQ(this=node.this.copy(), expression=item) for item in node.expressions]
            return self.bound(exp.or_(*equal))
        attribute = self._plain_column(node.this)
        if attribute is None:  # arithmetic on the left
            return self._general(node)
        column = exp.column(attribute.name)
        values = [_encoded(attribute, item) for item in node.expressions]
        unknown = unknown_of(attribute)
        return Bounds(_one_of(column, values), _one_of(column, [*values, unknown]))

    def _between(self, node: exp.Between) -> Bounds:
        subject = node.this
        return self._both(
            self.bound(exp.GTE(this=subject.copy(), expression=node.args["low"].copy())),
            self.bound(exp.LTE(this=subject.copy(), expression=node.args["high"].copy())),
        )

    def _compare(self, node: exp.Binary) -> Bounds:
        if self._is_logical(node.this) or self._is_logical(node.expression):
            return self._compare_flags(node)
        kind, left, right = type(node), node.this, node.expression
        attribute = self._plain_column(left)
        if attribute is None and self._plain_column(right) is not None:
            kind, left, right = _MIRRORED[kind], right, left
            attribute = self._plain_column(left)
        if attribute is None or right.find(exp.Column, exp.Div):
            return self._general(node)
        column, value = exp.column(attribute.name), _encoded(attribute, right)
        plain = kind(this=column, expression=exp.convert(value))
        is_known = column.neq(unknown_of(attribute))
        is_unknown = column.eq(unknown_of(attribute))
        if kind in (exp.GT, exp.GTE):  # an unknown number is greater than every other
            return Bounds(exp.and_(plain, column.copy() < UNKNOWN_NUMBER), plain.copy())
        if kind is exp.NEQ:
            return Bounds(exp.and_(plain, is_known), plain.copy())
        return Bounds(plain, exp.or_(plain.copy(), is_unknown))

    def _compare_flags(self, node: exp.Binary) -> Bounds:
        """``a = b`` of truth values: certain where both are known and agree."""
        left, right = self.bound(node.this), self.bound(node.expression)
        same = exp.or_(
            exp.and_(left.certain, right.certain),
            exp.and_(exp.not_(left.possible), exp.not_(right.possible)),
        )
        different = exp.or_(
            exp.and_(left.certain, exp.not_(right.possible)),
            exp.and_(exp.not_(left.possible), right.certain),
        )
        if isinstance(node, exp.NEQ):
            same, different = different, same
        return Bounds(same, exp.not_(different))

    def _general(self, node: exp.Expr) -> Bounds:
        """Arithmetic: computed with NULLs, which are settled at the end."""

        def nullable(part: exp.Expr) -> exp.Expr:
            if isinstance(part, exp.Column):
                attribute = self._attributes[part.name]
                return exp.func("NULLIF", exp.column(part.name), exp.convert(unknown_of(attribute)))
            if isinstance(part, exp.Literal) and not part.is_string:
                return exp.cast(part, "DOUBLE")  # no database may compute in 32 bits
            return part

        value = node.copy().transform(nullable)
        return Bounds(
            exp.func("COALESCE", value, exp.false()),
            exp.func("COALESCE", value.copy(), exp.true()),
        )

    def _plain_column(self, node: exp.Expr) -> Attribute | None:
        while isinstance(node, exp.Paren):
            node = node.this
        return self._attributes[node.name] if isinstance(node, exp.Column) else None

    def _is_logical(self, node: exp.Expr) -> bool:
        while isinstance(node, exp.Paren):
            node = node.this
        if isinstance(node, exp.Column):
            return self._attributes[node.name].type == "boolean"
        return isinstance(node, _LOGICAL)


_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_LOGICAL = (*_COMPARISONS, exp.And, exp.Or, exp.Not, exp.In, exp.Between, exp.Boolean)
_MIRRORED: dict[type[exp.Expr], type[exp.Binary]] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
}


def _one_of(column: exp.Column, values: list[int | float]) -> exp.Expr:
    if len(values) == 1:
        return column.copy().eq(values[0])
    return column.copy().isin(*values)


def _encoded(attribute: Attribute, node: exp.Expr) -> int | float:
    """Return a literal as the encoded column holds it; constant arithmetic is worked out."""
    if attribute.type == "choice":
        return code_of(attribute, str(node.name))
    return _constant(node)


def _constant(node: exp.Expr) -> float:
    operations: dict[type[exp.Expr], Callable[..., float]] = {
        exp.Paren: lambda n: _constant(n.this),
        exp.Neg: lambda n: -_constant(n.this),
        exp.Abs: lambda n: abs(_constant(n.this)),
        exp.Add: lambda n: _constant(n.this) + _constant(n.expression),
        exp.Sub: lambda n: _constant(n.this) - _constant(n.expression),
        exp.Mul: lambda n: _constant(n.this) * _constant(n.expression),
        exp.Literal: lambda n: float(n.this),
    }
    return operations[type(node)](node)
