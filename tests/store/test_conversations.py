"""Rasa's events: which of them are forgotten in time, and what their owner gets to read."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import ConfigurationError, UpstreamError
from store import conversations
from store.conversations import count_before, forget_before, own_words
from store.database import unit_of_work
from store.models import AuditEntry
from tests.stack import free_port
from tests.store import postgres
from tests.store.city import CityStore
from tests.store.rasa import RasaStore

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAY = timedelta(days=1)
BEFORE = NOW - 180 * DAY
ME, OTHER = "web:me", "wechat:other"

_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def rasa(request: pytest.FixtureRequest, tmp_path: Path) -> RasaStore:
    url = f"sqlite:///{tmp_path / 'rasa.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = postgres.new_database(server, f"rasa_{next(_numbers)}")
    return RasaStore(url, Fernet.generate_key().decode())


# --- forgetting ---------------------------------------------------------------------------


def test_what_was_silent_goes_whole_and_what_goes_on_keeps_its_session(rasa: RasaStore) -> None:
    rasa.make()
    silent, steady, across = "web:silent", "web:steady", "web:across"
    rasa.turn(silent, BEFORE - 20 * DAY, session=True)
    rasa.turn(silent, BEFORE - 1 * DAY, session=True)
    rasa.turn(steady, BEFORE - 9 * DAY, session=True)
    rasa.turn(steady, BEFORE - 8 * DAY)
    rasa.turn(across, BEFORE - 7 * DAY, session=True)
    rasa.turn(across, BEFORE - DAY / 2, session=True)
    rasa.turn(across, BEFORE + DAY / 4)
    rasa.turn(steady, NOW, session=True)
    rasa.turn(OTHER, NOW, session=True)

    assert count_before(rasa.setting, BEFORE) == 8 + 7 + 4
    assert forget_before(rasa.setting, BEFORE) == 8 + 7 + 4
    assert rasa.moments(silent) == []
    assert rasa.moments(steady) == [NOW]
    assert rasa.moments(across) == [BEFORE - DAY / 2, BEFORE + DAY / 4]  # never cut in half
    assert rasa.moments(OTHER) == [NOW]
    assert (count_before(rasa.setting, BEFORE), forget_before(rasa.setting, BEFORE)) == (0, 0)


def test_it_is_done_bit_by_bit_and_gets_past_what_stays(
    rasa: RasaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "_PAGE", 4)
    rasa.make()
    old = BEFORE - DAY
    for _ in range(3):  # a session that goes on fills more than a page
        rasa.turn("web:endless", old)
    for number in range(5):
        rasa.turn(f"web:{number}", old, session=True)
    rasa.turn("web:endless", NOW)
    assert 4 <= forget_before(rasa.setting, BEFORE, most=4) < 20
    assert 0 < count_before(rasa.setting, BEFORE) < 20
    forget_before(rasa.setting, BEFORE)
    assert [rasa.moments(f"web:{number}") for number in range(5)] == [[]] * 5
    assert rasa.moments("web:endless") == [old, NOW]


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory: pytest.TempPathFactory) -> RasaStore:
    """One database for all examples of the rule below."""
    folder = tmp_path_factory.mktemp("rule")
    rasa = RasaStore(f"sqlite:///{folder / 'rasa.db'}", Fernet.generate_key().decode())
    rasa.make()
    return rasa


Hours = st.lists(st.tuples(st.integers(-72, 72), st.booleans()), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(Hours)
def test_nothing_old_stays_but_the_beginning_of_a_session_that_goes_on(
    in_turn: RasaStore, turns: list[tuple[int, bool]]
) -> None:
    sender = f"web:{next(_numbers)}"
    spoken = [(BEFORE + timedelta(hours=hour), begins) for hour, begins in sorted(turns)]
    in_turn.turns(sender, spoken)
    forget_before(in_turn.setting, BEFORE)
    begun = max((at for at, begins in spoken if begins), default=spoken[0][0])
    goes_on = spoken[-1][0] >= BEFORE
    expected = {at for at, _ in spoken if goes_on and (at >= BEFORE or at >= begun)}
    assert in_turn.moments(sender) == sorted(expected)


def test_a_database_that_rasa_has_not_made_yet_is_empty(rasa: RasaStore) -> None:
    assert forget_before(rasa.setting, NOW) == count_before(rasa.setting, NOW) == 0
    assert conversations.erase(rasa.setting, ME, NOW) == 0
    assert not conversations.is_form_open(rasa.setting, ME, NOW)
    if rasa.url.startswith("sqlite"):
        assert not Path(rasa.url.removeprefix("sqlite:///")).exists()  # looking makes none


def test_a_database_that_is_away_is_named_without_its_password() -> None:
    port = free_port()
    with pytest.raises(UpstreamError) as caught:
        forget_before(f"postgresql://shimin:hidden@127.0.0.1:{port}/rasa", NOW)
    assert caught.value.code == "conversations_unavailable"
    assert f"127.0.0.1:{port}/rasa" in caught.value.detail
    assert "hidden" not in caught.value.detail


# --- reading ------------------------------------------------------------------------------


@pytest.fixture
def spoken(city_store: CityStore) -> RasaStore:
    """A conversation: words, an answer with a button, the button pressed."""
    settings = city_store.settings
    rasa = RasaStore(settings.tracker_url, settings.tracker_key.get_secret_value())
    rasa.make()
    typed = {"text": "我家楼下，油烟太大咯"}
    rasa.turn(OTHER, NOW)
    rasa.add(ME, NOW, "session_started")
    rasa.add(ME, NOW, "user", text="我家楼下油烟太大了", metadata=typed)
    button = {"title": "就是这里", "payload": "/choose_place"}
    rasa.add(ME, NOW, "bot", text="在哪里？", data={"buttons": [button], "custom": None})
    rasa.add(ME, NOW + DAY, "user", text="/choose_place", metadata={"text": "/choose_place"})
    rasa.add(ME, NOW + DAY, "bot", text="记下了", data={"buttons": None})
    return rasa


def test_the_owner_reads_what_both_said(city_store: CityStore, spoken: RasaStore) -> None:
    with unit_of_work() as session:
        rows = own_words(session, city_store.settings, ME)
    assert [(row["speaker"], row["words"]) for row in rows] == [
        ("您", "我家楼下，油烟太大咯"),
        ("助手", "在哪里？"),
        ("您", "就是这里"),
        ("助手", "记下了"),
    ]
    assert [row["at"] for row in rows] == [NOW.isoformat()] * 2 + [(NOW + DAY).isoformat()] * 2
    assert rows[1]["shown"] == {"buttons": [{"title": "就是这里", "payload": "/choose_place"}]}
    assert "shown" not in rows[3]
    (entry,) = city_store.rows(AuditEntry)
    assert (entry.actor, entry.purpose) == (f"citizen:{ME}", "data_export")
    assert entry.record == f"conversations:{ME}"


def test_without_the_key_it_is_said_so_and_nothing_is_read(
    city_store: CityStore, spoken: RasaStore
) -> None:
    city_store.configure(TRACKER_KEY="")
    with unit_of_work() as session:
        (row,) = own_words(session, city_store.settings, ME)
        assert "12345" in row["note"]
        assert own_words(session, city_store.settings, "web:nobody") == []
    city_store.configure(TRACKER_KEY="no-key")
    with unit_of_work() as session, pytest.raises(ConfigurationError, match="TRACKER_KEY"):
        own_words(session, city_store.settings, ME)
    assert city_store.rows(AuditEntry) == []


def test_what_another_key_wrote_hides_nothing_else(
    city_store: CityStore, spoken: RasaStore
) -> None:
    RasaStore(spoken.url, Fernet.generate_key().decode()).add(ME, NOW + 2 * DAY, "user", text="x")
    with unit_of_work() as session:
        rows = own_words(session, city_store.settings, ME)
    assert [row.get("words") for row in rows][-2:] == ["记下了", None]
    assert rows[-1]["note"]
