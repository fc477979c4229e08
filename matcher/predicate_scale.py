"""Conditions on an enterprise's scale, decided as soon as every scale that is possible agrees.

The data known often leave two scales open: a factory of 210 is small or micro, whichever its
revenue says. ``scale IN ('micro', 'small')`` holds for both. So each condition on ``scale`` is
written out, once and for every way of evaluating it, with the column ``scale_at_most``: the
greatest scale still possible (:func:`matcher.scale.greatest_scale`).

With S the scales listed, D its longest run from ``micro`` upwards, and E all from the smallest
of S upwards: ``scale IN S`` becomes ``(scale IN S OR scale_at_most IN D) AND scale_at_most IN E``.
It is certain below D and impossible below E. While the industry's indicators are incomplete
every scale from ``micro`` to the greatest is possible, so that nothing decidable is left open;
only with an unknown industry the lower bound counts for nothing.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from sqlglot import exp

from matcher.scale import SCALE_ORDER

__all__ = ["with_bounds"]

_COLUMN, _BOUND = "scale", "scale_at_most"


def with_bounds(tree: Any) -> Any:
    """Return a checked predicate with its conditions on ``scale`` written out.

    The same tree comes back when there are none.
    """
    if not any(column.name == _COLUMN for column in tree.find_all(exp.Column)):
        return tree
    return tree.transform(_widened)


def _widened(node: exp.Expr) -> exp.Expr:
    listed = _listed(node)
    if listed is None:
        return node
    run = tuple(takewhile(listed.__contains__, SCALE_ORDER))
    possible = SCALE_ORDER[min(map(SCALE_ORDER.index, listed)) :]
    found: exp.Expr = exp.column(_COLUMN).isin(*sorted(listed, key=SCALE_ORDER.index))
    if run:
        found = exp.or_(found, exp.column(_BOUND).isin(*run))
    if len(possible) < len(SCALE_ORDER):
        found = exp.and_(found, exp.column(_BOUND).isin(*possible))
    return exp.paren(exp.not_(found) if isinstance(node, exp.NEQ) else found)


def _listed(node: exp.Expr) -> frozenset[str] | None:
    """The scales that a comparison with the scale names; None for anything else."""
    if isinstance(node, exp.In):
        values = node.expressions if _is_scale(node.this) else []
    elif isinstance(node, exp.EQ | exp.NEQ):
        sides = (node.this, node.expression)
        values = (
            [side for side in sides if not _is_scale(side)] if any(map(_is_scale, sides)) else []
        )
    else:
        return None
    return frozenset(value.unnest().name for value in values) or None


def _is_scale(node: exp.Expr) -> bool:
    inner = node.unnest()
    return isinstance(inner, exp.Column) and inner.name == _COLUMN
