"""A made-up city: enterprises and residents whose columns hang together as real ones do.

Sizes, incomes and ages are drawn from rough distributions of a Chinese prefecture-level city,
chosen by us, not from a register; a quarter of what could be known is not known. Columns
without a distribution of their own are drawn around the numbers that policies name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlglot import exp

from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Attribute, Kind

UNKNOWN_SHARE = 0.25
Column = npt.NDArray[np.generic]

INDUSTRY_SHARES = {
    "wholesale": 0.2,
    "retail": 0.18,
    "industry": 0.16,
    "leasing_business": 0.1,
    "other": 0.1,
    "construction": 0.08,
    "software": 0.05,
    "catering": 0.04,
}
"""Share of enterprises by industry; the rest is spread evenly."""

AGES = ((0, 17, 0.17), (18, 34, 0.21), (35, 59, 0.4), (60, 79, 0.185), (80, 100, 0.035))
"""First and last age, share of residents (roughly the census of 2020)."""


@dataclass
class Draw:
    """Random columns of one length."""

    chance: np.random.Generator
    count: int

    def share(self, of_true: float | Column) -> Column:
        """Booleans, true with a probability."""
        return self.chance.random(self.count) < of_true

    def lognormal(self, median: float | Column, spread: float) -> Column:
        """Positive numbers around a median."""
        return np.round(median * np.exp(self.chance.normal(0, spread, self.count)), 2)

    def pick(self, values: Sequence[str], weights: Sequence[float] | None = None) -> Column:
        """Choices."""
        shares = None if weights is None else np.asarray(weights) / sum(weights)
        return np.asarray(values, dtype=object)[
            self.chance.choice(len(values), self.count, p=shares)
        ]


def population(kind: Kind, count: int, seed: int, policies: Sequence[Policy]) -> pd.DataFrame:
    """Return ``count`` profiles: ``id`` and every column of the kind in pandas' nullable types."""
    draw = Draw(np.random.default_rng([seed, len(kind)]), count)
    columns = (_enterprises if kind == "enterprise" else _residents)(draw)
    named = _named_numbers(kind, policies)
    letter = kind[0].upper()
    frame = {"id": pd.Series([f"{letter}{n}" for n in range(count)], dtype="object")}
    for name, attribute in ATTRIBUTES[kind].items():
        if attribute.derived and name not in columns:
            values, unknown = _blank(draw, attribute), np.ones(count, dtype=bool)
        else:
            values = columns[name] if name in columns else _anything(draw, attribute, named)
            unknown = draw.share(UNKNOWN_SHARE)
        frame[name] = _series(attribute, values, unknown)
    return pd.DataFrame(frame)


def _series(attribute: Attribute, values: Column, unknown: Column) -> pd.Series:
    if attribute.type == "choice":
        return pd.Series(np.where(unknown, None, values), dtype="object")
    if attribute.type in ("integer", "number"):
        values = np.clip(values.astype(float), attribute.minimum, attribute.maximum)
    kinds = {"integer": "Int64", "number": "Float64", "boolean": "boolean"}
    if attribute.type == "integer":
        values = np.round(values).astype(np.int64)
    series = pd.Series(values, dtype=kinds[attribute.type])
    series[unknown] = pd.NA
    return series


def _blank(draw: Draw, attribute: Attribute) -> Column:
    return np.zeros(draw.count, dtype=float) if attribute.type != "choice" else draw.pick([""])


def _anything(draw: Draw, attribute: Attribute, named: dict[str, list[float]]) -> Column:
    if attribute.type == "boolean":
        return draw.share(0.15)
    if attribute.type == "choice":
        return draw.pick([choice.value for choice in attribute.choices])
    median = float(np.median([abs(n) for n in named.get(attribute.name, [])] or [10])) or 1.0
    return np.where(draw.share(0.35), 0.0, draw.lognormal(median, 0.9))


def _named_numbers(kind: Kind, policies: Sequence[Policy]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for policy in policies:
        for predicate in policy.predicates if policy.audience == kind else ():
            for node in predicate.tree().find_all(exp.Binary):
                left, right = node.this, node.expression
                if isinstance(left, exp.Column) and isinstance(right, exp.Literal):
                    number = 0.0 if right.is_string else float(right.this)
                    found.setdefault(left.name, []).append(number)
    return found


def _enterprises(draw: Draw) -> dict[str, Column]:
    industries = [choice.value for choice in ATTRIBUTES["enterprise"]["industry"].choices]
    rest = (1 - sum(INDUSTRY_SHARES.values())) / (len(industries) - len(INDUSTRY_SHARES))
    industry = draw.pick(industries, [INDUSTRY_SHARES.get(name, rest) for name in industries])
    factory, software = industry == "industry", industry == "software"
    headcount = np.ceil(draw.lognormal(np.where(factory, 18, 6), 1.4))
    revenue = draw.lognormal(headcount * np.where(industry == "wholesale", 180, 60), 0.8)
    technical = factory | software
    rd_ratio = np.where(technical & draw.share(0.4), draw.lognormal(4.5, 0.7), 0.0)
    high_tech = (rd_ratio > 3) & (revenue > 100) & draw.share(0.5)
    return {
        "industry": industry,
        "headcount": headcount,
        "revenue_wan": revenue,
        "assets_wan": draw.lognormal(revenue, 0.9),
        "registered_years": np.round(draw.chance.exponential(6.5, draw.count), 1),
        "registered_in_city": draw.share(0.94),
        "taxable_income_wan": np.round(revenue * draw.chance.normal(0.05, 0.06, draw.count), 2),
        "restricted_industry": draw.share(0.02),
        "tobacco_or_entertainment": draw.share(0.02),
        "has_serious_violation": draw.share(0.03),
        "audited_collection": draw.share(0.6),
        "small_scale_taxpayer": revenue < 500,
        "rd_ratio": np.minimum(rd_ratio, 90),
        "rd_expense_wan": np.round(revenue * rd_ratio / 100, 2),
        "is_high_tech": high_tech,
        "is_tech_sme": (rd_ratio > 0) & draw.share(0.4),
        "innovative_sme": high_tech & draw.share(0.35),
        "srdi_sme": high_tech & draw.share(0.12),
        "insured_staff": np.floor(headcount * draw.chance.uniform(0.5, 1, draw.count)),
        "layoff_rate": np.where(draw.share(0.7), 0, draw.lognormal(5, 0.9)),
        "unemployment_paid_months": draw.chance.integers(0, 120, draw.count),
        "export_usd_wan": np.where(draw.share(0.1), draw.lognormal(80, 1.3), 0),
    }


def _residents(draw: Draw) -> dict[str, Column]:
    band = draw.chance.choice(len(AGES), draw.count, p=[share for *_, share in AGES])
    first, last = (np.asarray([row[n] for row in AGES])[band] for n in (0, 1))
    age = draw.chance.integers(first, last + 1)
    grown, old = age >= 18, age >= 60
    local = draw.share(0.68)
    work = draw.pick(
        ["employed", "flexible", "self_employed", "unemployed"], [0.62, 0.18, 0.12, 0.08]
    )
    employment = np.where(old, "retired", np.where(age < 20, "student", work))
    education = draw.pick(
        ["primary", "junior", "senior", "vocational", "bachelor", "master", "doctor"],
        [0.2, 0.34, 0.18, 0.14, 0.12, 0.018, 0.002],
    )
    disabled = draw.share(0.065)
    return {
        "age": age,
        "hukou": np.where(local, "local", "other"),
        "residence_months": np.where(local, age * 12, draw.lognormal(40, 0.9)),
        "married": grown & draw.share(0.7),
        "veteran": grown & draw.share(0.03),
        "household_income_monthly": draw.lognormal(2900, 0.65),
        "is_low_income": draw.share(0.03),
        "household_assets_within_limit": draw.share(0.12),
        "children_count": np.where(grown, draw.chance.binomial(3, 0.4, draw.count), 0),
        "youngest_child_age": np.maximum(age - 29, 0) * draw.chance.random(draw.count),
        "owns_home": grown & draw.share(np.where(local, 0.75, 0.3)),
        "living_alone": draw.share(np.where(old, 0.18, 0.08)),
        "disability_level": np.where(disabled, draw.chance.integers(1, 5, draw.count), 0),
        "needs_care": draw.share(np.where(age >= 80, 0.2, 0.01)),
        "medical_insured": draw.share(0.95),
        "employment": employment,
        "unemployed_involuntary": (employment == "unemployed") & draw.share(0.5),
        "unemployment_registered": (employment == "unemployed") & draw.share(0.6),
        "social_insurance_months": np.where(grown, draw.lognormal(60, 1.0), 0),
        "unemployment_insurance_months": np.where(grown, draw.lognormal(40, 1.0), 0),
        "is_business_owner": employment == "self_employed",
        "education": education,
        "graduation_years": np.maximum(age - 20, 0) * draw.chance.uniform(0.8, 1, draw.count),
    }
