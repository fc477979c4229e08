"""Random conditions over some enterprise columns, and random profiles to judge by them."""

from __future__ import annotations

from hypothesis import strategies as st

from matcher.predicate import Scalar

NUMBERS = ("headcount", "revenue_wan", "registered_years")
BOOLEANS = ("is_high_tech", "has_serious_violation")
SCALES = ("micro", "small", "medium", "large")

numbers = st.one_of(
    st.integers(-5, 400),
    st.floats(0, 400, allow_nan=False).map(lambda value: round(value, 2)),
)


def literal(value: float) -> str:
    return f"({value})" if value < 0 else str(value)


number_terms = st.recursive(
    st.one_of(st.sampled_from(NUMBERS), numbers.map(literal)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda term: f"ABS({term})"),
        inner.map(lambda term: f"(- {term})"),
    ),
    max_leaves=4,
)
comparisons = st.tuples(
    number_terms, st.sampled_from(("<", "<=", ">", ">=", "=", "<>")), number_terms
).map(" ".join)
betweens = st.tuples(number_terms, st.sampled_from(("", "NOT ")), number_terms, number_terms).map(
    lambda t: f"({t[0]} {t[1]}BETWEEN {t[2]} AND {t[3]})"
)
choices = st.tuples(
    st.sampled_from(("IN", "NOT IN")), st.lists(st.sampled_from(SCALES), min_size=1, max_size=3)
).map(lambda t: f"scale {t[0]} ({', '.join(repr(value) for value in t[1])})")
equals = st.tuples(st.sampled_from(("=", "<>")), st.sampled_from(SCALES)).map(
    lambda t: f"scale {t[0]} '{t[1]}'"
)
memberships = st.tuples(st.sampled_from(NUMBERS), st.lists(numbers, min_size=1, max_size=3)).map(
    lambda t: f"{t[0]} IN ({', '.join(map(literal, t[1]))})"
)
truths = st.one_of(
    st.sampled_from(BOOLEANS),
    st.tuples(st.sampled_from(BOOLEANS), st.sampled_from(("TRUE", "FALSE"))).map(" = ".join),
)
predicates = st.recursive(
    st.one_of(comparisons, betweens, choices, equals, memberships, truths),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("AND", "OR")), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda term: f"NOT ({term})"),
    ),
    max_leaves=5,
).filter(
    lambda sql: len(sql) <= 500 and any(name in sql for name in (*NUMBERS, *BOOLEANS, "scale"))
)

COLUMNS: dict[str, st.SearchStrategy[Scalar]] = {
    "headcount": st.integers(0, 400),
    "revenue_wan": st.floats(0, 400, allow_nan=False).map(lambda value: round(value, 2)),
    "registered_years": st.integers(0, 50),
    "is_high_tech": st.booleans(),
    "has_serious_violation": st.booleans(),
    "scale": st.sampled_from(SCALES),
}
profiles = st.fixed_dictionaries({}, optional=COLUMNS)
full_profiles = st.fixed_dictionaries(COLUMNS)
