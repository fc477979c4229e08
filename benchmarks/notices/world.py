"""A made-up city for the simulated week: policies with their rules twice, people, what happens.

Every rule is written once as the policy's predicate and once as a line of Python. The product
reads the first, the oracle the second; neither is made from the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from matcher.profile import ATTRIBUTES

CITY = ZoneInfo("Asia/Shanghai")
START = date(2026, 3, 2)  # a Monday
DISTRICTS = tuple(c.value for c in ATTRIBUTES["resident"]["district"].choices[:3]) or (
    "一区",
    "二区",
)
INDUSTRIES = ("industry", "retail", "software", "catering")
CHANNELS = ("chat", "email", "wecom", "dingtalk", "feishu")

Facts = dict[str, Any]
Rule = Callable[[Facts], bool]


@dataclass
class Law:
    """A policy of the made-up city in one version."""

    id: str
    version: int
    audience: str
    conditions: list[tuple[str, Rule]]
    since: datetime
    opens: date | None = None
    closes: date | None = None
    excludes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """A title that names policy and version, by which an arrival is recognised."""
        return f"政策{self.id}第{self.version}版"

    def fits(self, facts: Facts) -> bool:
        """The rule in Python; what is unknown never fits."""
        try:
            return all(rule(facts) for _, rule in self.conditions)
        except KeyError:
            return False

    def write(self, folder: Path) -> None:
        """Write the policy file as the product reads it."""
        data = {
            "id": self.id,
            "title": self.title,
            "audience": self.audience,
            "level": "city",
            "issuer": "模拟市政府",
            "document": {"title": "模拟文件"},
            "origin": "sample",
            "theme": "模拟",
            "summary": "模拟政策。",
            "benefit": {"kind": "subsidy", "text": "一次性1000元", "amount": 1000, "unit": "元"},
            "eligibility": [{"text": sql, "when": sql} for sql, _ in self.conditions],
            "window": {
                name: day.isoformat()
                for name, day in (("opens", self.opens), ("closes", self.closes))
                if day
            },
            "materials": ["申请表"],
            "steps": ["申请"],
            "apply": {"place": "模拟大厅"},
            "excludes": list(self.excludes),
            "queries": ["一", "二", "三"],
            "version": self.version,
        }
        target = folder / self.audience / f"{self.id}.yml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")


def conditions(chance: random.Random, audience: str) -> list[tuple[str, Rule]]:
    """Draw a few conditions, each as a predicate and in Python."""
    found: list[tuple[str, Rule]] = []
    if audience == "enterprise":
        most, years = chance.choice((20, 50, 100, 300)), chance.choice((0.5, 1, 3, 5))
        industry, district = chance.choice(INDUSTRIES), chance.choice(DISTRICTS)
        found = [
            (f"headcount < {most}", lambda f: f["headcount"] < most),
            (f"registered_years >= {years}", lambda f: f["registered_years"] >= years),
            (f"industry = '{industry}'", lambda f: f["industry"] == industry),
            (f"district = '{district}'", lambda f: f["district"] == district),
            ("headcount >= 1 OR is_high_tech", lambda f: f["headcount"] >= 1),
        ]
        found.pop()
    else:
        least, most = chance.choice((60, 65, 70, 80)), chance.choice((30, 35, 40))
        district = chance.choice(DISTRICTS)
        old = (f"age >= {least}", lambda f: f["age"] >= least)
        young = (f"age <= {most}", lambda f: f["age"] <= most)
        found = [
            old if chance.random() < 0.7 else young,
            ("hukou = 'local'", lambda f: f["hukou"] == "local"),
            (f"district = '{district}'", lambda f: f["district"] == district),
            ("is_low_income", lambda f: f["is_low_income"]),
        ]
    return [found[0], *chance.sample(found[1:], chance.choice((0, 1, 1, 2)))]


@dataclass
class Human:
    """A person or enterprise: what is true, what he agreed to, and what he did."""

    id: str
    audience: str
    facts: Facts
    told: date | None = None  # the day the age was told
    birth: date | None = None
    consent: list[tuple[str, datetime, datetime | None]] = field(default_factory=list)
    feedback: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    changed_at: datetime | None = None

    def channels(self, moment: datetime) -> set[str]:
        """Channels consented to at a moment."""
        return {c for c, a, b in self.consent if a <= moment and (b is None or moment < b)}

    def ages(self, day: date) -> list[int]:
        """Every age possible on a day; counted here anew, day by day."""
        if self.birth is not None:
            born = self.birth
            return [day.year - born.year - ((day.month, day.day) < (born.month, born.day))]
        if self.told is None:
            return []
        age, at = self.facts["age"], self.told
        years = 0
        while _plus(at, years + 1) <= day:
            years += 1
        return [age + years] if _plus(at, years) == day else [age + years, age + years + 1]

    def variants(self, day: date) -> list[Facts]:
        """The facts the person may have on a day."""
        ages = self.ages(day) if self.audience == "resident" else []
        return [{**self.facts, "age": age} for age in ages] or [self.facts]


def _plus(day: date, years: int) -> date:
    return date(day.year + years, day.month, day.day)


def people(chance: random.Random, count: int) -> list[Human]:
    """Draw people; nobody was born or asked on 29 February."""
    found = []
    for number in range(count):
        resident = chance.random() < 0.45
        human = Human(
            id=f"{'web' if resident else 'enterprise'}:{number:05d}",
            audience="resident" if resident else "enterprise",
            facts=resident_facts(chance) if resident else enterprise_facts(chance),
        )
        if resident:
            _give_age(chance, human)
        found.append(human)
    return found


def resident_facts(chance: random.Random) -> Facts:
    """Draw what is known of a resident; now and then a datum is missing."""
    facts: Facts = {
        "age": chance.choice((24, 29, 30, 34, 35, 39, 45, 59, 60, 64, 65, 69, 70, 79, 80)),
        "hukou": chance.choice(("local", "local", "other")),
        "district": chance.choice(DISTRICTS),
        "is_low_income": chance.random() < 0.3,
    }
    if chance.random() < 0.15:
        del facts[chance.choice(("hukou", "district", "is_low_income"))]
    return facts


def enterprise_facts(chance: random.Random) -> Facts:
    """Draw what is known of an enterprise; now and then a datum is missing."""
    facts: Facts = {
        "headcount": chance.choice((3, 12, 30, 60, 150, 400)),
        "registered_years": chance.choice((0.3, 0.8, 2.0, 4.0, 9.0)),
        "industry": chance.choice(INDUSTRIES),
        "district": chance.choice(DISTRICTS),
    }
    if chance.random() < 0.15:
        del facts[chance.choice(("registered_years", "industry", "district"))]
    return facts


def _give_age(chance: random.Random, human: Human) -> None:
    """Half tell a birth date, half an age on a day; many birthdays fall into the week."""
    soon = START + timedelta(days=chance.randrange(-3, 9))
    back = soon if chance.random() < 0.5 else START - timedelta(days=chance.randrange(30, 340))
    if chance.random() < 0.5:
        human.birth = date(back.year - human.facts["age"], back.month, back.day)
        human.facts["age"] = human.ages(START)[0]
    else:
        human.told = date(back.year - 1, back.month, back.day)
