"""Texts that fit, choices that mean what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import ConfigurationError
from channels.message import Reply
from channels.wechat.templates import read_template
from channels.wechat.wording import (
    LONGEST_BYTES,
    divide_reply,
    label_of,
    rendered,
    rendered_size,
    wants_letters,
)
from store.choices import chosen, close_choices, offer_choices
from store.database import unit_of_work
from tests.channels.wechat.official import _fits
from tests.isolated import isolated

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
words = st.text(st.sampled_from("市民办证𠮷😀a1 。，\n！"), max_size=3000)
titles = st.text(st.sampled_from("确认提交改地点😀 a"), min_size=1, max_size=80)


@settings(max_examples=60, deadline=None)
@given(words, st.lists(titles, max_size=40))
def test_pieces_fit_and_lose_nothing(text: str, names: list[str]) -> None:
    buttons = [{"title": name, "payload": f"/choose{n}"} for n, name in enumerate(names)]
    pieces = divide_reply(Reply.of({"text": text, "buttons": buttons}))
    shown = [rendered(piece, [str(99)] * len(piece.buttons)) for piece in pieces]
    for piece, whole in zip(pieces, shown, strict=True):
        assert whole.strip()
        assert len(whole.encode()) <= rendered_size(piece) <= LONGEST_BYTES
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(text.split())
    assert [b.payload for piece in pieces for b in piece.buttons] == [b["payload"] for b in buttons]


def test_a_title_of_several_lines_stays_on_its_own() -> None:
    reply = Reply.of(
        {"text": "好", "buttons": [{"title": "甲\n2. 乙" + "长" * 99, "payload": "/a"}]}
    )
    *_, line = rendered(divide_reply(reply)[0], ["1"]).splitlines()
    assert line.startswith("1. 甲 2. 乙长")
    assert len(line) < 70


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("1", "1"), (" １２。", "12"), ("选2", "2"), ("我选 3", "3"), ("第三个", "3"),
        ("回复1", "1"), ("b", "B"), ("01", "1"), ("十", "10"), ("①", "1"),
        ("1号楼", None), ("100", None), ("", None), ("0", None), ("好", None), ("AB", None),
    ],
)  # fmt: skip
def test_labels(said: str, label: str | None) -> None:
    assert label_of(said) == label


def test_a_question_for_a_number_offers_letters() -> None:
    assert wants_letters(Reply.of({"text": "企业有多少人？"}))
    assert wants_letters(Reply.of({"text": "家里几口人？"}))
    assert not wants_letters(Reply.of({"text": "请您核对："}))


def test_titles_with_numbers_of_their_own_get_letters() -> None:
    titles = ("建个清单", "1. 生育登记", "2. 出生医学证明首次签发")
    buttons = [{"title": title, "payload": f"/{n}"} for n, title in enumerate(titles)]
    assert wants_letters(Reply.of({"text": "按这个顺序办：", "buttons": buttons}))
    assert not wants_letters(Reply.of({"text": "按这个顺序办：", "buttons": buttons[:1]}))


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> object:
    folder: Path = tmp_path_factory.mktemp("choices")
    with isolated(folder) as found:
        yield found


offers = st.lists(
    st.tuples(st.booleans(), st.integers(1, 6), st.sampled_from(["offer", "offer", "close"])),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(offers)
def test_an_open_label_means_one_thing(steps: list[tuple[bool, int, str]]) -> None:
    citizen, opened, moment = "wechat:c", {}, NOW
    with unit_of_work() as session:
        close_choices(session, citizen, NOW + timedelta(days=1))
        for place, (letters, count, step) in enumerate(steps):
            moment += timedelta(seconds=1)
            if step == "close":
                close_choices(session, citizen, moment)
                opened.clear()
                continue
            buttons = [(f"题{place}-{n}", f"/p{place}-{n}") for n in range(count)]
            labels = offer_choices(session, citizen, buttons, moment, letters=letters)
            assert not opened.keys() & set(labels)
            opened |= dict(zip(labels, buttons, strict=True))
        for label, (title, payload) in opened.items():
            assert chosen(session, citizen, label, "") == payload
            assert chosen(session, citizen, None, title) == payload
            assert chosen(session, "wechat:other", label, title) is None
        assert chosen(session, citizen, "99", "没有") is None


def test_what_is_sent_again_keeps_its_labels() -> None:
    buttons = [("确认提交", "/affirm"), ("取消", "/cancel")]
    with unit_of_work() as session:
        for _ in range(2):
            assert offer_choices(session, "wechat:again", buttons, NOW) == ("1", "2")
        assert offer_choices(session, "wechat:again", buttons[:1], NOW) == ("3",)


def test_labels_begin_anew_when_they_run_out() -> None:
    many, more = ([(f"题{n}", f"/p{n}") for n in range(k, k + 60)] for k in (0, 100))
    with unit_of_work() as session:
        offer_choices(session, "wechat:many", many, NOW)
        labels = offer_choices(session, "wechat:many", more, NOW)
        assert (labels[0], labels[-1]) == ("1", "60")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=30))
def test_templates_keep_the_platforms_limits(text: str, status: str) -> None:
    card = {
        "kind": "ticket", "id": "SM20260504000001", "title": "工单 SM20260504000001",
        "fields": {"状态": status, "查看进度": "https://city.example/progress/x"},
    }  # fmt: skip
    fields = "thing1=text thing2=title character_string3=id phrase4=status number5=id time6=time"
    template = read_template(f"TEMPLATE_ID_1 {fields} date7=time name8=department", "X")
    assert template is not None
    filled = template.filled(Reply.of({"text": text, "cards": [card]}), NOW)
    assert all(_fits(name, value) for name, value in filled.items())
    assert filled["character_string3"] == "SM20260504000001"
    assert filled["time6"] == "2026年05月04日 18:00"


@pytest.mark.parametrize(
    "setting", ["short", "TEMPLATE_ID_1", "TEMPLATE_ID_1 thing1=mood", "TEMPLATE_ID_1 colour1=text"]
)
def test_a_template_that_is_not_understood_is_refused(setting: str) -> None:
    with pytest.raises(ConfigurationError):
        read_template(setting, "SHIMIN_WECHAT_TICKET_TEMPLATE")
