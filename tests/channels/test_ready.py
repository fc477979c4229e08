from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from base.settings import Settings
from channels.gateway.health import Readiness
from channels.rasa import RasaClient
from store.database import downgrade, unit_of_work
from store.models import Citizen, OutboxEntry, Ticket, plain, utc_now
from tests.channels.conftest import Gateway, Neighbour, fine, neighbouring
from tests.isolated import isolated
from tests.stack import free_port

WELL = {"rasa": "ok", "actions": "ok", "database": "ok", "media": "ok", "outbox": "ok"}


def look(settings: Settings) -> dict[str, str]:
    return Readiness(settings, RasaClient(settings)).parts()


def test_the_routes(gateway: Gateway) -> None:
    with gateway.client() as http:
        ready, live = http.get("/api/v1/ready"), http.get("/api/v1/live")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready", **WELL})
        assert (live.status_code, live.json()) == (200, {"status": "alive"})
        gateway.rasa.answer = lambda _: (500, b"")
        again = http.get("/api/v1/ready")  # looked at a moment ago
        assert (again.status_code, again.json()["rasa"]) in ((200, "ok"), (503, "down"))
        assert http.get("/api/v1/live").status_code == 200


def test_each_part_is_looked_at(tmp_path: Path) -> None:
    rasa, actions = Neighbour(free_port(), fine), Neighbour(free_port(), fine)
    ports = {"rasa_port": rasa.port, "actions_port": actions.port}
    with isolated(tmp_path, **ports) as settings, neighbouring(actions):
        assert look(settings) == {**WELL, "rasa": "down"}
        with neighbouring(rasa):
            assert look(settings) == WELL
            downgrade("0001")
            assert look(settings) == {**WELL, "database": "not_migrated", "outbox": "unknown"}


def test_a_media_store_that_takes_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with isolated(tmp_path, media_dir=blocked) as settings:
        assert look(settings)["media"] == "down"


@pytest.mark.parametrize(("minutes", "word"), [(29, "ok"), (31, "late")])
def test_an_outbox_that_is_late(tmp_path: Path, minutes: int, word: str) -> None:
    with isolated(tmp_path) as settings:
        with unit_of_work() as session:
            session.add(Citizen(id="web:1"))
            session.add(
                Ticket(
                    id="SM20261121000001",
                    citizen_id="web:1",
                    draft_id="d",
                    status="submitted",
                    category="noise.social",
                    severity="normal",
                    department="城管",
                    description=plain("扬尘"),
                )
            )
            session.flush()
            session.add(
                OutboxEntry(
                    created_at=utc_now() - timedelta(minutes=minutes),
                    ticket_id="SM20261121000001",
                    kind="request",
                    idempotency_key="k",
                )
            )
        assert look(settings)["outbox"] == word
