"""What the relay's housekeeping does to Rasa's conversations, and what it tells of it."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from dispatch.classification.categories import Categories
from dispatch.outbox.conversations import erase_on_request, forget_old
from dispatch.outbox.figures import take_figures
from dispatch.outbox.housekeeping import Housekeeping, jobs
from store.database import unit_of_work
from store.erasures import TURN, ask_for_erasure
from store.models import utc_now
from tests.stack import free_port
from tests.store.city import CityStore
from tests.store.rasa import RasaStore

NOW = utc_now()
ME = "web:me"


def conversation(store: CityStore) -> RasaStore:
    settings = store.settings
    rasa = RasaStore(settings.tracker_url, settings.tracker_key.get_secret_value())
    rasa.make()
    return rasa


def counted(reason: str) -> float:
    name = "shimin_conversation_events_erased_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0


def test_the_period_is_the_settings(city_store: CityStore) -> None:
    rasa, before = conversation(city_store), counted("expired")
    rasa.turn("web:old", NOW - timedelta(days=31), session=True)
    rasa.turn(ME, NOW - timedelta(days=29), session=True)
    forget_old(city_store.settings, NOW)
    assert len(rasa.moments("web:old")) == 1
    city_store.configure(CONVERSATION_KEEP_DAYS="30")
    with capture_logs() as logs:
        forget_old(city_store.settings, NOW)
        forget_old(city_store.settings, NOW)
    assert (rasa.moments("web:old"), len(rasa.moments(ME))) == ([], 1)
    assert logs == [
        {"event": "conversations_erased", "log_level": "info", "reason": "expired", "events": 4}
    ]
    assert counted("expired") == before + 4


def test_how_long_a_wish_waits_is_shown_until_it_is_done(city_store: CityStore) -> None:
    rasa, before = conversation(city_store), counted("requested")
    rasa.turn(ME, NOW - timedelta(days=1), session=True)
    with unit_of_work() as session:
        ask_for_erasure(session, [ME], NOW)
    age = "shimin_conversation_erasure_oldest_seconds"
    take_figures(NOW + 2 * TURN)
    assert REGISTRY.get_sample_value(age) == 120
    erase_on_request(city_store.settings, NOW + 2 * TURN)
    take_figures(NOW + 2 * TURN)
    assert REGISTRY.get_sample_value(age) == 0
    assert (rasa.moments(ME), counted("requested")) == ([], before + 4)


def test_while_the_database_is_away_the_log_says_where_and_all_else_goes_on(
    city_store: CityStore, categories: Categories
) -> None:
    port = free_port()
    city_store.configure(TRACKER_URL=f"postgresql://shimin:hidden@127.0.0.1:{port}/rasa")
    with unit_of_work() as session:
        ask_for_erasure(session, [ME], NOW - TURN)
    wanted = {"conversation_expiry", "conversation_erasure"}
    found = jobs(city_store.settings, categories, "市热线办")
    house = Housekeeping(tuple(job for job in found if job.name in wanted))
    with capture_logs() as logs:
        house.run(NOW)
    assert [(log["job"], log["error"]) for log in logs] == [
        ("conversation_expiry", "UpstreamError"),
        ("conversation_erasure", "UpstreamError"),
    ]
