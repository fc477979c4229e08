from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from base.settings import Settings
from dispatch.case.filing import file_complaint
from dispatch.classification.categories import Categories, load_categories
from dispatch.classification.classifier import CategoryClassifier
from dispatch.open311 import Open311Client
from dispatch.outbox.relay import Relay
from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.intake import Draft, Intake, Spot, new_draft
from store.database import unit_of_work
from tests.dispatch.saying import INSIDE, complained, listen
from tests.dispatch.servers import Desk
from tests.store.city import CityStore, isolated_store

HERE = Spot(
    address="云东区文昌街道春风里小区",
    district="云东区",
    latitude=30.2741,
    longitude=120.1551,
    source="shared",
)


@pytest.fixture
def city_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CityStore]:
    """An isolated store for one test."""
    with isolated_store(tmp_path, monkeypatch) as store:
        yield store


@pytest.fixture(scope="session")
def categories() -> Categories:
    return load_categories(Settings().categories_file)


@pytest.fixture(scope="session")
def intake(categories: Categories) -> Intake:
    """The real intake: the sample city's places and the trained classifier."""
    settings = Settings()
    return Intake(Gazetteer.load(settings.city_dir), CategoryClassifier.load(settings), categories)


@pytest.fixture
def ready(intake: Intake) -> Draft:
    """Words and a place: only the confirmation is missing."""
    draft = listen(intake, [complained(locations=(INSIDE,))])
    assert draft.gap == "confirmed"
    return draft


@pytest.fixture
def make_draft() -> Callable[..., Draft]:
    """A confirmed draft; every field may be given."""

    def make(**changes: object) -> Draft:
        ready = {
            "words": ("楼下餐馆油烟太大了",),
            "place": HERE,
            "category": "air.cooking_fume",
            "confirmed": True,
        }
        return new_draft().model_copy(update={**ready, **changes})

    return make


@pytest.fixture
def filed(
    city_store: CityStore, categories: Categories, make_draft: Callable[..., Draft]
) -> Callable[..., str]:
    """File a complaint; gives the ticket's id."""

    def file(citizen_id: str = "web:1", **changes: object) -> str:
        with unit_of_work() as session:
            return file_complaint(session, make_draft(**changes), citizen_id, categories).ticket.id

    return file


@pytest.fixture
def desk(city_store: CityStore) -> Iterator[Desk]:
    """The reference desk, not up yet."""
    office = Desk(city_store.settings)
    try:
        yield office
    finally:
        office.close()


@pytest.fixture
def make_relay(city_store: CityStore, categories: Categories) -> Iterator[Callable[..., Relay]]:
    """Make relays to ``url`` (default: the desk)."""
    clients = []

    def make(url: str | None = None) -> Relay:
        settings = city_store.settings
        client = Open311Client(
            url or settings.dispatch_url,
            settings.dispatch_api_key.get_secret_value(),
            format=settings.dispatch_format,
            timeout=3.0,
        )
        clients.append(client)
        return Relay(client, settings, categories)

    yield make
    for client in clients:
        client.__exit__(None, None, None)
