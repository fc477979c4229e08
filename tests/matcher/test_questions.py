"""The next question is the one that decides most."""

from __future__ import annotations

from typing import Any

import pytest

from base.settings import Settings
from matcher.catalogue import Catalogue
from matcher.profile import parse_profile
from matcher.questions import askable, next_question
from matcher.ranking import match


@pytest.fixture(scope="module")
def catalogue(city: Settings) -> Catalogue:
    return Catalogue.load(city)


def profile(kind: str = "enterprise", **attributes: Any) -> Any:
    return parse_profile({"kind": kind, "id": "p", "attributes": attributes})


def ask(catalogue: Catalogue, who: Any, query: str | None = None, asked: Any = ()) -> str | None:
    found = next_question(match(catalogue, who, query), who, asked)
    return None if found is None else found.name


def test_the_column_that_settles_most_policies_comes_first(catalogue: Catalogue) -> None:
    # registered_in_city settles two open policies by itself; every other column settles none.
    assert ask(catalogue, profile()) == "registered_in_city"


def test_what_was_asked_or_declined_is_not_asked_again(catalogue: Catalogue) -> None:
    asked: list[str] = []
    while (name := ask(catalogue, profile(), asked=asked)) is not None:
        assert name not in asked
        asked.append(name)
    assert "scale" not in asked
    assert {"registered_in_city", "industry", "headcount", "rd_expense_wan"} <= set(asked)


def test_the_question_follows_what_the_citizen_asked(catalogue: Catalogue) -> None:
    name = ask(catalogue, profile(), query="研发费用加计扣除我们能享受吗")
    assert name in {"rd_expense_wan", "has_serious_violation"}


def test_nothing_is_asked_when_everything_is_decided(catalogue: Catalogue) -> None:
    assert ask(catalogue, profile("resident", age=82, hukou="local")) is None
    assert ask(catalogue, profile("resident", age=30)) is None


def test_scale_is_replaced_by_what_it_comes_from() -> None:
    assert askable(["scale"], profile()) == {"industry"}
    assert askable(["scale"], profile(industry="industry")) == {"headcount", "revenue_wan"}
    assert askable(["scale"], profile(industry="industry", headcount=50)) == {"revenue_wan"}
    assert askable(["scale"], profile(industry="construction")) == {"revenue_wan", "assets_wan"}
    assert askable(["age"], profile("resident")) == {"age"}
