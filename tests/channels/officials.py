"""A gateway with complaints, policies and questions: for tests of the officials' areas."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from base.settings import Settings
from channels.officials import policies, simulation
from store.agents import ROLES, add_agent
from store.database import unit_of_work
from store.models import OutboxEntry, Ticket, plain, utc_now
from store.people import citizen, save_profile, subscribe
from store.tickets import add_event, city_day, new_ticket_id, queue_outbox
from tests.channels.agents import PASSWORD, SERVICE, Staff
from tests.channels.conftest import Gateway, gateway_in
from tests.channels.policy_city import City
from tests.stack import ROOT

KITCHEN, GARBAGE = "air.cooking_fume", "waste.garbage"
SCRIPT = "<script>alert('x')</script>"
FORMULA = '=HYPERLINK("http://evil.example","点我")'
PHONE = "13812345678"


@pytest.fixture(scope="module")
def city_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with an account for each role, two policies and a service item."""
    folder = tmp_path_factory.mktemp("officials")
    shelf = folder / "policies"
    (shelf / "services").mkdir(parents=True)
    item = yaml.safe_dump(SERVICE, allow_unicode=True)
    (shelf / "services" / f"{SERVICE['id']}.yml").write_text(item, "utf-8")
    shutil.copy(ROOT / "policies" / "halls.yml", shelf)
    models = folder / "models"
    models.mkdir()
    for trained in Settings().model_dir.glob("categories-*.npz"):
        (models / trained.name).symlink_to(trained)
    people = folder / "residents.csv"
    rows = [f"r{n},{60 + n % 40},{'云东区' if n % 2 else '江南区'}" for n in range(400)]
    people.write_text("\n".join(["id,age,district", *rows, "bad,很老,云东区"]), "utf-8")
    changes = {"policies_dir": shelf, "model_dir": models, "simulation_residents": people}
    with gateway_in(folder, **changes) as gateway:
        city = City(gateway.settings)
        city.policy("old_age", title=f"高龄津贴{SCRIPT}")
        hiring = {"when": "headcount >= 20", "audience": "enterprise"}
        city.policy("hiring", title="=稳岗返还", **hiring)
        with unit_of_work() as session:
            for role in ROLES:
                add_agent(session, role, PASSWORD, role)
        yield gateway


@pytest.fixture
def gateway(city_gateway: Gateway) -> Iterator[Gateway]:
    """The same, with nothing counted yet."""
    app: Any = city_gateway.server.config.app
    settings = city_gateway.settings
    app.state.coverage_desk = policies.CoverageDesk(settings)
    app.state.simulation_desk = simulation.SimulationDesk(settings)
    app.state.question_desk.changed()
    yield city_gateway


@pytest.fixture
def enter(gateway: Gateway) -> Iterator[Any]:
    """Log somebody of a role in."""
    opened = []

    def entering(role: str) -> Staff:
        http = gateway.client()
        http.follow_redirects = True
        opened.append(http)
        one = Staff(http)
        assert "退出" in one.log_in(role).text
        return one

    yield entering
    for http in opened:
        http.close()


def report(
    *,
    category: str = KITCHEN,
    status: str = "in_progress",
    words: str = "楼下餐馆油烟太大",
    ago: timedelta = timedelta(hours=2),
    who: str = "web:1",
    **changes: Any,
) -> str:
    """Put a complaint into the store as it is after some steps; return its number."""
    at = utc_now() - ago
    with unit_of_work() as session:
        citizen(session, who)
        number = new_ticket_id(session, city_day(at))
        values: dict[str, Any] = {
            "severity": "normal",
            "department": "市城市管理局",
            "district": "云东区",
            "street": "文昌街道",
            "latitude": 30.27413,
            "longitude": 120.15511,
            "external_id": None if status == "submitted" else f"D-{number}",
            "address": plain("春风里3栋502"),
            "contact": plain({"name": "王建国", "phone": PHONE}),
            **changes,
        }
        ticket = Ticket(
            id=number,
            citizen_id=who,
            draft_id=f"d-{number}",
            created_at=at,
            updated_at=at,
            status="draft",
            category=category,
            description=plain(words),
            **values,
        )
        session.add(ticket)
        session.flush()
        for step in dict.fromkeys(("submitted", status)):
            actor = f"citizen:{who}" if step == "submitted" else "dispatch"
            add_event(session, ticket, step, actor=actor, unit="市城市管理局").at = at
        ticket.updated_at = at
        queue_outbox(session, ticket, "request", f"shimin-{number}").state = "sent"
    return number


def refuse(number: str, error: str = "http_400") -> None:
    """Let the dispatch system have refused something of a ticket."""
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, number)
        entry: OutboxEntry = queue_outbox(session, ticket, "update", f"shimin-{number}-x")
        entry.state, entry.attempts, entry.last_error = "dead", 3, error


def subscriber(number: int, now: datetime, kind: str = "resident", **facts: Any) -> None:
    """Somebody who agreed to hear of policies."""
    who = f"web:sub{number}"
    known = {"age": 85} if kind == "resident" else {}
    with unit_of_work() as session:
        values = {"district": "云东区", **known, **facts}
        save_profile(session, who, kind, values, now=now)
        subscribe(session, who, now=now)
