"""A city whose policies a test writes, and people who want to hear of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import yaml

from base.calendar import CITY_TIME
from base.settings import Settings
from channels.notices.manners import Manners
from channels.notices.rounds import Rounds, Tally
from channels.notices.shelf import Shelf
from store.database import unit_of_work
from store.people import inbox, save_profile, subscribe

ME = "web:1"
NOON = datetime(2026, 11, 23, 12, tzinfo=CITY_TIME)
DAY = timedelta(days=1)


class City:
    """An installation whose policies the test writes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shelf = Shelf(settings.policies_dir)

    def policy(self, name: str, when: str = "age >= 80", **changes: Any) -> None:
        audience = changes.get("audience", "resident")
        data = {
            "id": name,
            "title": f"{name}补贴",
            "audience": audience,
            "level": "city",
            "issuer": "市民政局",
            "document": {"title": "办法"},
            "origin": "sample",
            "theme": "养老",
            "summary": "补贴。",
            "benefit": {"kind": "allowance", "text": "每月100元", "amount": 100, "unit": "元/月"},
            "eligibility": [{"text": when, "when": when}],
            "materials": ["身份证"],
            "steps": ["申请"],
            "apply": {"place": "街道便民中心", "online": "政务服务网"},
            "queries": ["一", "二", "三"],
        } | changes
        path = self.settings.policies_dir / audience / f"{name}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")

    def look(self, now: datetime, *, dry: bool = False) -> Tally:
        return Rounds(self.shelf, Manners.of(self.settings)).look(now, dry=dry)

    def heard(self, citizen_id: str = ME) -> list[list[dict[str, Any]]]:
        with unit_of_work() as session:
            return [replies for _, replies in inbox(session, citizen_id, 0)]


def resident(now: datetime = NOON - 20 * DAY, citizen_id: str = ME, **facts: Any) -> None:
    with unit_of_work() as session:
        save_profile(session, citizen_id, "resident", {"age": 85, **facts}, now=now)
        subscribe(session, citizen_id, now=now)
