"""Subsidy and support policies, one YAML file each; bad conditions are refused at load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, StringConstraints, model_validator

from base.errors import ConfigurationError
from matcher.documents import Body, Day, Document, Identifier, Text, read_model
from matcher.predicate import MAX_CHARS, Formula, Predicate, parse_formula, parse_predicate
from matcher.profile import Kind

__all__ = [
    "Apply",
    "Benefit",
    "Condition",
    "Filter",
    "Level",
    "Policy",
    "PolicyDocument",
    "Tier",
    "Window",
    "WindowState",
    "load_policies",
    "one_sided",
]

WindowState = Literal["open", "upcoming", "closed"]
Level = Literal["national", "province", "city", "district"]


class PolicyDocument(Document):
    """The document that the policy follows."""

    title: Text
    number: Text | None = None
    date: Day | None = None


class Tier(Document):
    """One step of a benefit that differs by case; the first whose ``when`` holds counts."""

    when: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)]
    formula: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)]


class Benefit(Document):
    """What one receives: ``text`` is shown, the rest is for ranking and for the budget.

    ``amount`` in ``unit``, at most ``cap``, is what the document names. Where it can be worked
    out for one profile, ``formula`` is that (an amount over the profile's columns, in ``unit``),
    or ``tiers`` are, in order. ``unit`` begins with 元 or 万元 for a sum of money, ``元/月`` for
    one that is paid every month.
    """

    kind: Literal["tax", "subsidy", "loan", "allowance", "service", "honour"]
    text: Text
    amount: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    unit: Text | None = None
    cap: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    formula: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)] | None = None
    tiers: tuple[Tier, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Benefit:
        if self.formula and self.tiers:
            raise ValueError("a benefit has a formula or tiers, not both")
        return self


class Condition(Document):
    """One condition: the document's words, and the same as a predicate over the profile."""

    text: Text
    when: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)]


class Window(Document):
    """When one may apply; both days are included, an absent one leaves the side open."""

    opens: Day | None = None
    closes: Day | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.opens and self.closes and self.opens > self.closes:
            raise ValueError("window closes before it opens")
        return self

    def state(self, today: date) -> WindowState:
        """Return whether one may apply on ``today``."""
        if self.closes is not None and today > self.closes:
            return "closed"
        if self.opens is not None and today < self.opens:
            return "upcoming"
        return "open"


class Apply(Document):
    """Where and how to apply."""

    place: Text
    online: Text | None = None
    phone: Text | None = None


class Policy(Document):
    """One policy, checked against the profile columns of its audience.

    ``body`` is the document's text, or its gist where it is long; ``source`` tells where it can
    be read, ``supersedes`` which documents it replaces.
    """

    id: Identifier
    title: Text
    audience: Kind
    level: Level
    issuer: Text
    document: PolicyDocument
    origin: Literal["real", "sample"]
    theme: Text
    summary: Text
    benefit: Benefit
    eligibility: tuple[Condition, ...] = Field(min_length=1)
    window: Window = Window()
    materials: tuple[Text, ...] = Field(min_length=1)
    steps: tuple[Text, ...] = Field(min_length=1)
    apply: Apply
    excludes: tuple[Identifier, ...] = ()
    queries: tuple[Text, ...] = Field(min_length=3)
    body: Body | None = None
    source: Text | None = None
    version: int = Field(default=1, ge=1)
    supersedes: tuple[Text, ...] = ()

    _predicates: tuple[Predicate, ...] = PrivateAttr(default=())
    _amounts: tuple[tuple[Predicate | None, Formula], ...] = PrivateAttr(default=())

    def model_post_init(self, _context: Any) -> None:
        """Parse every condition; a bad one is a ``ValueError`` that names it."""
        predicates = []
        for position, condition in enumerate(self.eligibility):
            try:
                predicates.append(parse_predicate(condition.when, self.audience))
            except ConfigurationError as error:
                raise ValueError(f"eligibility.{position}.when: {error.detail}") from error
        self._predicates = tuple(predicates)
        self._amounts = tuple(self._parsed_amounts())

    def _parsed_amounts(self) -> Iterator[tuple[Predicate | None, Formula]]:
        """Yield the benefit's formula, or its tiers with their conditions, parsed."""
        cases: list[tuple[str, str | None, str]] = [
            (f"tiers.{n}", t.when, t.formula) for n, t in enumerate(self.benefit.tiers)
        ]
        if self.benefit.formula:
            cases = [("formula", None, self.benefit.formula)]
        for place, when, formula in cases:
            try:
                condition = parse_predicate(when, self.audience) if when else None
                yield condition, parse_formula(formula, self.audience)
            except ConfigurationError as error:
                raise ValueError(f"benefit.{place}: {error.detail}") from error

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """The parsed ``when`` of each condition, in the order of ``eligibility``."""
        return self._predicates

    @property
    def amounts(self) -> tuple[tuple[Predicate | None, Formula], ...]:
        """What the benefit is worth by case, first match wins; ``None`` is every case."""
        return self._amounts


@dataclass(frozen=True, slots=True)
class Filter:
    """Which policies are looked at; what is not said does not narrow.

    Args:
        audience: whom they are for.
        levels: who made them; empty for all.
        district: a policy of another district is left out, those of the whole city, the
            province and the state are not. A district's own policies name it in ``issuer``.
        open_on: a day on which one may apply.
        not_closed_on: a day on which one may apply, or may later.
    """

    audience: Kind | None = None
    levels: frozenset[Level] = frozenset()
    district: str | None = None
    open_on: date | None = None
    not_closed_on: date | None = None

    def allows(self, policy: Policy) -> bool:
        """Return whether ``policy`` is looked at."""
        return (
            (self.audience is None or policy.audience == self.audience)
            and (not self.levels or policy.level in self.levels)
            and (self.open_on is None or policy.window.state(self.open_on) == "open")
            and (self.not_closed_on is None or policy.window.state(self.not_closed_on) != "closed")
            and (
                self.district is None
                or policy.level != "district"
                or self.district in policy.issuer
            )
        )


def one_sided(policies: Iterable[Policy]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of which the first ``excludes`` the second, and the second not the first.

    Readers take either side; a pair that only one side names is easily overlooked by an editor.
    """
    pairs = {(policy.id, other) for policy in policies for other in policy.excludes}
    return tuple(sorted(pair for pair in pairs if pair[::-1] not in pairs))


def load_policies(directory: Path) -> tuple[Policy, ...]:
    """Read ``enterprise/*.yml`` and ``resident/*.yml`` below ``directory``, ordered by id.

    Raises:
        ConfigurationError: no policy is found, a file is wrong, its name is not its id, it
            lies in the other audience's folder, an id comes twice, or ``excludes`` names
            itself or a policy that does not exist.
    """
    policies: dict[str, Policy] = {}
    for audience in ("enterprise", "resident"):
        for path in sorted((directory / audience).glob("*.yml")):
            policy = read_model(path, Policy)
            if policy.id != path.stem:
                raise ConfigurationError(f"{path}: id: {policy.id!r} is not the file's name")
            if policy.audience != audience:
                raise ConfigurationError(f"{path}: audience: belongs in {policy.audience}/")
            if policy.id in policies:
                raise ConfigurationError(f"{path}: id: {policy.id!r} is taken")
            policies[policy.id] = policy
    if not policies:
        raise ConfigurationError(f"{directory}: no policies found")
    for policy in policies.values():
        for other in policy.excludes:
            if other not in policies or other == policy.id:
                raise ConfigurationError(
                    f"{directory}/{policy.audience}/{policy.id}.yml: excludes: "
                    f"no other policy {other!r}"
                )
    return tuple(sorted(policies.values(), key=lambda policy: policy.id))
