"""Items added, changed and removed in a running finder, and large collections by candidates."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.encoder import Vectors, get_encoder
from base.settings import ROOT, get_settings
from matcher.finder import Finding, ServiceFinder
from matcher.hybrid import Limits
from matcher.policy import Policy, load_policies
from matcher.policy_finder import Filter, PolicyFinder
from matcher.profile import KINDS, Kind
from matcher.service import load_services

GOLDEN = ROOT / "benchmarks" / "policies" / "golden"
FEW = Limits(exhaustive=0, candidates=60)
TODAY = date(2026, 11, 22)


class Remembering:
    """The real engine; a text is encoded once, and what was encoded is listed."""

    def __init__(self) -> None:
        self._inner = get_encoder()
        self.name = self._inner.name
        self.dimension = self._inner.dimension
        self._known: dict[str, Vectors] = {}
        self.encoded: list[str] = []

    def queries(self, texts: list[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self.encoded.extend(texts)
        self._known.update(zip(new, self._inner.queries(new), strict=True))
        return np.array([self._known[text] for text in texts], dtype=np.float32).reshape(
            -1, self.dimension
        )

    def passages(self, texts: list[str]) -> Vectors:
        return self._inner.passages(texts)


@pytest.fixture(scope="module")
def engine() -> Remembering:
    return Remembering()


@pytest.fixture(scope="module")
def policies() -> tuple[Policy, ...]:
    return load_policies(ROOT / "policies")


@pytest.fixture(scope="module")
def whole(policies: tuple[Policy, ...], engine: Remembering) -> PolicyFinder:
    return PolicyFinder(policies, engine, get_settings().model_dir)


def as_a_large_one(
    whole: PolicyFinder, engine: Remembering, folder: Path, candidates: int
) -> PolicyFinder:
    """The same policies as a large collection is searched: a graph and candidates."""
    policies = list(whole.items.values())
    (folder / "embeddings").mkdir()
    for path in (get_settings().model_dir / "embeddings").glob("policies-*.npz"):
        (folder / "embeddings" / path.name).write_bytes(path.read_bytes())
    limits = Limits(exhaustive=0, candidates=candidates)
    PolicyFinder(policies, engine, folder, limits=limits)  # builds the graph and keeps it
    return PolicyFinder(policies, engine, folder, limits=limits)


@pytest.fixture(scope="module")
def limited(
    whole: PolicyFinder, engine: Remembering, tmp_path_factory: pytest.TempPathFactory
) -> PolicyFinder:
    return as_a_large_one(whole, engine, tmp_path_factory.mktemp("limited"), Limits().candidates)


@pytest.fixture(scope="module")
def narrow(
    whole: PolicyFinder, engine: Remembering, tmp_path_factory: pytest.TempPathFactory
) -> PolicyFinder:
    """So few candidates that half of the policies are never compared."""
    return as_a_large_one(whole, engine, tmp_path_factory.mktemp("narrow"), 60)


def graded() -> list[tuple[str, Kind]]:
    """Every third graded question: three finders answer each."""
    return [
        (row["text"], kind)
        for kind in KINDS
        for row in yaml.safe_load((GOLDEN / f"{kind}_queries.yml").read_text(encoding="utf-8"))[::3]
    ]


@pytest.fixture(scope="module")
def everything(whole: PolicyFinder) -> dict[str, tuple[Finding[Policy], Any, frozenset[str]]]:
    """What comparing with every policy gives for each graded question."""
    assert whole.index.exhaustive
    return {
        text: (whole.find(text, own), whole.relevance(text, own), whole.about(text, own))
        for text, kind in graded()
        for own in [whole.ids(Filter(audience=kind))]
    }


@pytest.mark.parametrize(("name", "differ", "near"), [("limited", 0, 0.003), ("narrow", 1, 0.03)])
def test_candidates_give_what_comparing_with_everything_gives(
    name: str,
    differ: int,
    near: float,
    everything: dict[str, tuple[Finding[Policy], Any, frozenset[str]]],
    request: pytest.FixtureRequest,
) -> None:
    """On the graded questions. Of the narrow one a verdict may tip over that was on the edge:
    what is not compared has no share of the probability."""
    finder: PolicyFinder = request.getfixturevalue(name)
    assert not finder.index.exhaustive
    compared, differing = [], []
    for text, kind in graded():
        own = finder.ids(Filter(audience=kind))
        every, every_relevance, about = everything[text]
        relevance, found = finder.relevance(text, own), finder.find(text, own)
        compared.append(len(relevance) / len(own))
        assert first(relevance) == first(every_relevance), text
        assert finder.about(text, own) == about, text
        for one, chance in relevance.items():
            assert chance == pytest.approx(every_relevance[one], abs=1e-3), text
        if found.kind != every.kind:
            differing.append(text)
            continue
        assert [c.item.id for c in found.candidates] == [c.item.id for c in every.candidates], text
        for some, whole in zip(found.candidates, every.candidates, strict=True):
            assert some.score == pytest.approx(whole.score, abs=near), text
    assert len(compared) > 140
    assert len(differing) <= differ, differing
    assert np.mean(compared) < (0.6 if name == "narrow" else 0.95)  # or nothing was left out


def first(relevance: Any, count: int = 5) -> list[str]:
    """The first policies, in the order of the rounded figure: ties may fall either way."""
    return sorted(relevance, key=lambda name: (-round(relevance[name], 3), name))[:count]


ITEMS = 8


def versions(policy_data: Callable[..., dict[str, Any]]) -> list[list[Policy]]:
    """Three wordings of each of a few policies, some sharing texts with others."""
    subjects = ("稳岗", "技能培训", "高新企业", "充电桩", "高龄津贴", "租房", "创业", "残疾人就业")
    ways = ("{}补贴怎么领", "申请{}补贴要什么材料", "{}给多少钱")
    return [
        [
            Policy.model_validate(
                policy_data(
                    f"p{number}",
                    title=f"{subject}补贴" if version else f"{subject}扶持办法",
                    theme=("民生", "企业", subject)[version],
                    queries=[way.format(subject) for way in ways[version:] + ways[:version]]
                    + [f"第{version}版{subject}"],
                )
            )
            for version in range(3)
        ]
        for number, subject in enumerate(subjects)
    ]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it only makes data
)
@given(
    changes=st.lists(
        st.lists(
            st.tuples(st.integers(0, ITEMS - 1), st.sampled_from([0, 1, 2, None])),
            max_size=4,
            unique_by=lambda change: change[0],
        ),
        max_size=6,
    ),
    limits=st.sampled_from([Limits(), Limits(exhaustive=10, candidates=1000)]),
)
def test_a_changed_finder_is_the_same_as_a_fresh_one(
    engine: Remembering,
    policy_data: Callable[..., dict[str, Any]],
    changes: list[list[tuple[int, int | None]]],
    limits: Limits,
) -> None:
    made = versions(policy_data)
    held = {f"p{number}": made[number][0] for number in range(3)}
    finder = PolicyFinder(list(held.values()), engine, limits=limits)
    for change in changes:
        put = [made[number][version] for number, version in change if version is not None]
        gone = [f"p{number}" for number, version in change if version is None]
        gone = [name for name in gone if name in held]
        finder.change(put, gone)
        held = {name: item for name, item in held.items() if name not in gone}
        held |= {item.id: item for item in put}
    fresh = PolicyFinder(list(held.values()), engine, limits=limits)
    assert finder.items == fresh.items == held
    assert finder.index.documents == fresh.index.documents
    assert finder.index.passages == fresh.index.passages
    np.testing.assert_array_equal(finder.index.vectors, fresh.index.vectors)
    for text in ("技能培训补贴怎么领", "稳岗扶持办法", "第2版租房", "补贴", "今天天气怎么样"):
        np.testing.assert_allclose(
            finder.index.features(text), fresh.index.features(text), atol=2e-6
        )
        one, two = finder.find(text), fresh.find(text)
        assert one.kind == two.kind
        assert [c.item for c in one.candidates] == [c.item for c in two.candidates]
        assert finder.named(text) == fresh.named(text)


def test_only_new_texts_are_encoded(policy_data: Callable[..., dict[str, Any]]) -> None:
    engine = Remembering()
    made = versions(policy_data)
    finder = PolicyFinder([item[0] for item in made], engine)
    engine.encoded.clear()
    finder.change([made[1][1]])
    assert set(engine.encoded) == {"技能培训补贴", "企业", "第1版技能培训"}
    engine.encoded.clear()
    finder.change(removed=["p2"])
    assert engine.encoded == []
    assert "p2" not in finder.index.documents


def test_a_change_that_fails_changes_nothing(
    policy_data: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Remembering()
    made = versions(policy_data)
    finder = PolicyFinder([item[0] for item in made], engine)
    before = finder.stock
    with pytest.raises(KeyError, match="no item nothing"):
        finder.change([made[0][1]], ["nothing"])
    with pytest.raises(ValueError, match="once at a time"):
        finder.change([made[0][1]], ["p0"])

    def broken(texts: list[str]) -> Vectors:
        raise MemoryError

    monkeypatch.setattr(engine, "queries", broken)
    with pytest.raises(MemoryError):
        finder.change([made[0][2]])
    assert finder.stock is before
    monkeypatch.undo()
    finder.change([made[0][2]])
    assert finder.items["p0"] == made[0][2]


def test_a_question_sees_the_old_items_or_the_new_ones(
    policy_data: Callable[..., dict[str, Any]],
) -> None:
    """Two policies are exchanged together again and again; no answer mixes the two states."""
    engine = Remembering()
    made = versions(policy_data)
    rest = [item[0] for item in made[2:]]
    states = ([made[0][1], made[1][0]], [made[0][0], made[1][1]])
    text = "稳岗补贴和技能培训补贴"
    expected = [PolicyFinder([*state, *rest], engine).relevance(text) for state in states]
    finder = PolicyFinder([*states[0], *rest], engine)
    stop, mixed, seen = threading.Event(), [], set()

    def ask() -> None:
        while not stop.is_set():
            got = finder.relevance(text)
            which = [
                number
                for number, one in enumerate(expected)
                if got == pytest.approx(dict(one), abs=1e-4)
            ]
            seen.update(which)
            if not which:
                mixed.append(got)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(60):
        finder.change(states[(turn + 1) % 2])
    stop.set()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert seen == {0, 1}


SOME = ("passport", "id_card_replace", "birth_registration", "marriage_registration")


@pytest.mark.parametrize("limits", [Limits(), FEW])
def test_services_are_changed_alike(engine: Remembering, limits: Limits) -> None:
    items = load_services(ROOT / "policies" / "services")
    by_id = {item.id: item for item in items if item.id in SOME}
    passport = by_id.pop("passport")
    finder = ServiceFinder(list(by_id.values()), engine, limits=limits)
    assert "passport" not in {c.item.id for c in finder.find("护照怎么办").candidates}
    finder.change([passport])
    assert finder.find("护照怎么办").candidates[0].item.id == "passport"


@pytest.mark.parametrize("name", ["whole", "narrow"])
@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Filter(audience="resident"), lambda p: p.audience == "resident"),
        (Filter(levels=frozenset({"city", "district"})), lambda p: p.level in ("city", "district")),
        (Filter(district="云东区"), lambda p: p.level != "district" or "云东区" in p.issuer),
        (Filter(open_on=TODAY), lambda p: p.window.state(TODAY) == "open"),
        (Filter(not_closed_on=TODAY), lambda p: p.window.state(TODAY) != "closed"),
        (
            Filter("enterprise", frozenset({"district"}), "高新区", TODAY),
            lambda p: p.audience == "enterprise" and "高新区" in p.issuer,
        ),
    ],
)
def test_a_filter_is_kept_to(
    name: str, wanted: Filter, holds: Callable[[Policy], bool], request: pytest.FixtureRequest
) -> None:
    finder: PolicyFinder = request.getfixturevalue(name)
    among = finder.ids(wanted)
    assert 0 < len(among) < len(finder.items)
    assert all(holds(finder.items[identifier]) for identifier in among)
    left_out = finder.items.keys() - among
    assert not any(
        holds(policy) and wanted.allows(policy)
        for policy in (finder.items[identifier] for identifier in left_out)
    )
    for text in ("租房有补贴吗", "企业租办公楼能补多少", "高龄津贴怎么领"):
        assert set(finder.relevance(text, among)) <= among
        assert finder.about(text, among) <= among
        assert {c.item.id for c in finder.find(text, among).candidates} <= among
        best = max(finder.relevance(text, among).items(), key=lambda pair: pair[1])
        every = request.getfixturevalue("whole").relevance(text)
        assert best[1] == pytest.approx(max(every[name] for name in among), abs=1e-3)


def test_every_policy_of_a_district_names_it(policies: tuple[Policy, ...]) -> None:
    names = yaml.safe_load((ROOT / "policies" / "districts.yml").read_text(encoding="utf-8"))
    for policy in policies:
        if policy.level == "district":
            assert sum(name in policy.issuer for name in names["districts"]) == 1, policy.id


def test_nothing_is_found_among_nothing(whole: PolicyFinder, narrow: PolicyFinder) -> None:
    for finder in (whole, narrow):
        assert finder.find("高龄津贴怎么领", ()).kind == "unknown"
        assert finder.about("高龄津贴怎么领", ()) == frozenset()
    empty: list[Policy] = []
    assert PolicyFinder(empty, get_encoder()).find("高龄津贴").kind == "unknown"
