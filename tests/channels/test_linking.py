"""Linking channels through the gateway: words, buttons, limits, and nobody sees another's."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select, update

from base.settings import Settings
from channels.linking import Linking
from channels.message import Message
from enquiries.linking.words import Said, Wish, payload, read
from store.database import unit_of_work
from store.identities import mine
from store.identity_models import Identity, LinkAttempt, LinkCode, Person
from store.models import AuditEntry, Citizen, OutgoingMessage, Ticket, plain, utc_now
from store.people import inbox
from store.tickets import latest_visible_to, of_citizen
from tests.channels.agents import Person as Speaker
from tests.channels.conftest import Gateway

_numbers = itertools.count(1)


@pytest.fixture
def speaker(gateway: Gateway) -> Iterator[Callable[..., Speaker]]:
    with unit_of_work() as session:
        session.query(LinkAttempt).delete()
    with gateway.api() as http:

        def named(channel: str) -> Speaker:
            return Speaker(http, f"c-{next(_numbers)}", channel)

        yield named


def code_from(text: str) -> str:
    found = re.search(r"\d{4} \d{4}", text)
    assert found, text
    return found[0]


def pressed(reply: dict[str, Any], title: str) -> str:
    return str(next(b["payload"] for b in reply["buttons"] if b["title"] == title))


def other_than(code: str) -> str:
    return f"{(int(code.replace(' ', '')) + 1) % 10**8:08d}"


def citizen_of(who: Speaker) -> str:
    return f"{who.channel}:{who.name}"


@pytest.mark.parametrize("text", ["关联其他渠道", "关联 4839 2016", "我的关联", "导出我的资料"])
def test_in_a_group_it_is_sent_to_the_private_chat(gateway: Gateway, text: str) -> None:
    def enquiry(body: dict[str, Any] | None) -> tuple[int, bytes]:
        parse = {"intent": {"name": "ask_service", "confidence": 0.9}, "entities": []}
        return 200, json.dumps({"understanding": parse, "replies": [{"text": "x"}]}).encode()

    gateway.rasa.answer = enquiry
    conversation = gateway.server.config.app.state.conversation  # type: ignore[union-attr]
    message = Message(conversation_id="group-1", channel="telegram", text=text)
    answer = conversation.handle_in_public(message, "https://t.me/shimin_bot")
    assert "https://t.me/shimin_bot" in answer.replies[0].text
    assert len(answer.replies) == 1 and not answer.replies[0].buttons
    with unit_of_work() as session:
        assert session.query(LinkCode).filter_by(citizen_id="telegram:group-1").count() == 0


def test_two_channels_become_one_and_part_again(
    gateway: Gateway, speaker: Callable[..., Speaker]
) -> None:
    page, chat = speaker("web"), speaker("wechat")
    code = code_from(page.text("关联其他渠道"))
    (asked,) = chat.say(f"关联 {code}")
    assert "网页聊天" in asked["text"] and "月" in asked["text"]
    assert page.name not in asked["text"]
    assert page.news() == []  # nothing has happened yet
    (done,) = chat.say(pressed(asked, "确认关联"))
    assert "已和“网页聊天”" in done["text"]
    assert any("微信公众号" in text and "不是您本人" in text for text in page.news())
    assert "微信公众号" in page.text("查看关联")
    assert "网页聊天" in chat.text("关联了哪些渠道")
    assert "已取消关联" in page.text("取消关联")
    assert any("取消关联" in text for text in chat.news())
    assert "还没有关联" in chat.text("我的关联")
    assert "不用取消" in chat.text("取消关联")
    assert gateway.rasa.heard == []  # a code never gets into Rasa's events


def test_the_notice_on_the_other_side_ends_it_with_one_tap(
    speaker: Callable[..., Speaker],
) -> None:
    victim, thief = speaker("web"), speaker("telegram")
    thief.say(f"关联 {code_from(victim.text('/link_code'))}")
    thief.say("/link_confirm")
    with unit_of_work() as session:
        messages = inbox(session, citizen_of(victim), 0)
    carried = pressed(messages[-1][1][0], "取消关联")
    assert "已断开“Telegram”" in victim.text(carried)
    assert "还没有关联" in thief.text("/link_status")
    assert "没有关联" in victim.text(carried)  # a second tap does no harm
    with unit_of_work() as session:
        purposes = set(
            session.scalars(
                select(AuditEntry.purpose).where(
                    AuditEntry.actor.in_([f"citizen:{citizen_of(w)}" for w in (victim, thief)])
                )
            )
        )
    assert {"link_code", "link_code_entered", "linked", "unlinked"} <= purposes


def test_a_code_is_refused_in_one_sentence_whatever_is_wrong(
    speaker: Callable[..., Speaker],
) -> None:
    page, chat, late = speaker("web"), speaker("wechat"), speaker("telegram")
    code = code_from(page.text("关联码"))
    wrong = chat.text(f"关联 {other_than(code)}")
    assert "不对" in wrong
    assert "到另一个渠道" in page.text(f"关联 {code}")
    assert "8位数字" in chat.text("关联 12345")
    chat.say(f"关联 {code}")
    assert late.text(f"关联 {code}") == wrong  # used
    assert "没有关联" in chat.text("不关联")
    assert "过期" in chat.text("确认关联")
    fresh = code_from(page.text("关联码"))
    with unit_of_work() as session:
        session.execute(
            update(LinkCode)
            .where(LinkCode.citizen_id == citizen_of(page))
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )
    assert late.text(f"关联 {fresh}") == wrong  # too old


def test_who_guesses_is_stopped_and_written_down(speaker: Callable[..., Speaker]) -> None:
    page, thief, honest = speaker("web"), speaker("telegram"), speaker("wechat")
    code = code_from(page.text("关联码"))
    for _ in range(5):
        assert "不对" in thief.text(f"关联 {other_than(code)}")
    assert "次数太多" in thief.text(f"关联 {code}")  # even the right one
    assert "确认" in honest.text(f"关联 {code}")
    with unit_of_work() as session:
        told = session.scalars(
            select(AuditEntry.purpose).where(AuditEntry.actor == f"citizen:{citizen_of(thief)}")
        ).all()
    assert told.count("link_guess_wrong") == 5
    assert told.count("link_guess_refused") == 1
    for _ in range(4):
        assert "关联码是" in page.text("关联码")
    assert "好几个" in page.text("关联码")


def test_everybodys_guesses_together_are_limited(
    gateway: Gateway, speaker: Callable[..., Speaker]
) -> None:
    most = gateway.settings.link_guesses_everywhere
    with unit_of_work() as session:
        now = utc_now()
        session.add_all(
            LinkAttempt(citizen_id=f"api:{n}", kind="guess", at=now) for n in range(most)
        )
    code = code_from(speaker("web").text("关联码"))
    assert "次数太多" in speaker("wechat").text(f"关联 {code}")


def test_the_code_lies_nowhere_in_the_clear(
    gateway: Gateway, speaker: Callable[..., Speaker]
) -> None:
    page = speaker("web")
    code = code_from(page.text("关联码")).replace(" ", "")
    folder = gateway.settings.media_dir.parent
    stored = b"".join(path.read_bytes() for path in folder.glob("shimin.db*"))
    assert code.encode() not in stored


def test_other_words_still_go_to_the_assistant(
    gateway: Gateway, speaker: Callable[..., Speaker]
) -> None:
    who = speaker("web")
    for text in ("社保关联手机号怎么办", "取消预约", "/link_enter", "/link_remove", "确认"):
        assert who.text(text) == "您好，我是市民。"


# --- words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("关联其他渠道", Said(Wish.CODE)),
        ("我想关联一下别的渠道", Said(Wish.CODE)),
        ("给我一个关联码", Said(Wish.CODE)),
        ("关联 48392016", Said(Wish.ENTER, "48392016")),
        ("关联码是４８３９ ２０１６。", Said(Wish.ENTER, "48392016")),
        ("关联四八三九二零幺六", Said(Wish.ENTER, "48392016")),
        ("关联 4839-2016", Said(Wish.ENTER, "48392016")),
        ("关联 123", None),
        ("确认关联", Said(Wish.CONFIRM)),
        ("先不关联了", Said(Wish.DECLINE)),
        ("我要取消关联", Said(Wish.LEAVE)),
        ("看看我的关联渠道", Said(Wish.STATUS)),
        ("关联了哪些渠道？", Said(Wish.STATUS)),
        ("不再关注", None),
        ("医保卡怎么关联家人", None),
        ("取消订阅", None),
        ("48392016", None),
        ("", None),
    ],
)
def test_a_few_words_are_understood_and_no_others(text: str, said: Said | None) -> None:
    assert read(text) == said


@given(
    st.from_regex(r"\A[0-9]{8}\Z"), st.sampled_from(["关联", "关联码", "请输入关联码：", "关联 "])
)
def test_every_code_can_be_said(code: str, lead: str) -> None:
    spoken = code.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    for digits in (code, f"{code[:4]} {code[4:]}", spoken):
        assert read(f"{lead}{digits}") == Said(Wish.ENTER, code)


@given(
    st.text()
    | st.builds(
        lambda v: "/link_remove" + json.dumps(v),
        st.recursive(
            st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
        ),
    )
)
def test_any_text_is_read_without_harm(text: str) -> None:
    said = read(text)
    assert said is None or said.wish in Wish
    if said is not None and said.wish is Wish.REMOVE:
        assert int(said.value) > 0


def test_a_buttons_number_is_read_back() -> None:
    assert read(payload(Wish.REMOVE, number="17")) == Said(Wish.REMOVE, "17")
    for wrong in ('{"number": 17}', '{"number": "0"}', '{"number": "x"}', "{}", "{" * 5000 + "}"):
        assert read(f"/link_remove{wrong}") is None


# --- nobody sees another's ----------------------------------------------------------------

CONVERSATIONS = ("web:s1", "wechat:s2", "telegram:s3", "voice:s4", "api:s5")


class LinkingMachine(RuleBasedStateMachine):
    """Any order of asking, entering, confirming, expiring, guessing and unlinking.

    The model keeps who confirmed whose code; what everybody sees must be exactly that.
    """

    installation: Settings

    def __init__(self) -> None:
        super().__init__()
        self.linking = Linking(self.installation)
        self.groups = [{name} for name in CONVERSATIONS]
        self.codes: dict[str, str] = {}
        self.entered: dict[str, str] = {}
        with unit_of_work() as session:
            for model in (LinkAttempt, LinkCode, Identity, Person, OutgoingMessage):
                session.query(model).delete()

    def say(self, who: str, text: str) -> str:
        with unit_of_work() as session:
            session.query(LinkAttempt).delete()  # the limits have tests of their own
        replies = self.linking.answer(who, text)
        assert replies is not None
        return str(replies[0]["text"])

    def group(self, who: str) -> set[str]:
        return next(group for group in self.groups if who in group)

    @rule(who=st.sampled_from(CONVERSATIONS))
    def ask(self, who: str) -> None:
        self.codes[who] = code_from(self.say(who, "关联码"))
        self.entered = {k: v for k, v in self.entered.items() if v != who}

    @rule(who=st.sampled_from(CONVERSATIONS), issuer=st.sampled_from(CONVERSATIONS))
    def enter(self, who: str, issuer: str) -> None:
        code = self.codes.get(issuer, "0000 0000")
        answer = self.say(who, f"关联 {code}")
        accepted = "确认关联" in answer or "请点" in answer
        assert accepted == (issuer in self.codes and who != issuer)
        if accepted:
            del self.codes[issuer]
            self.entered[who] = issuer

    @rule(who=st.sampled_from(CONVERSATIONS), guess=st.from_regex(r"\A[0-9]{8}\Z"))
    def guess(self, who: str, guess: str) -> None:
        if guess not in {code.replace(" ", "") for code in self.codes.values()}:
            assert "不对" in self.say(who, f"关联 {guess}")

    @rule(who=st.sampled_from(CONVERSATIONS))
    def confirm(self, who: str) -> None:
        answer = self.say(who, "确认关联")
        issuer = self.entered.pop(who, None)
        if issuer is None:
            assert "没有等待确认" in answer
            return
        one, other = self.group(who), self.group(issuer)
        if one is other or (len(one) > 1 and len(other) > 1):
            assert "已经" in answer
            return
        self.groups = [g for g in self.groups if g is not one and g is not other] + [one | other]

    @rule()
    def expire(self) -> None:
        with unit_of_work() as session:
            session.execute(update(LinkCode).values(expires_at=utc_now() - timedelta(seconds=1)))
        self.codes.clear()
        self.entered.clear()

    @rule(who=st.sampled_from(CONVERSATIONS))
    def leave(self, who: str) -> None:
        self.say(who, "取消关联")
        group = self.group(who)
        if len(group) > 1:
            group.remove(who)
            self.groups.append({who})

    @rule(who=st.sampled_from(CONVERSATIONS), number=st.integers(1, 30))
    def send_away(self, who: str, number: int) -> None:
        with unit_of_work() as session:
            row = session.get(Identity, number)
            target = row.citizen_id if row else None
        self.say(who, payload(Wish.REMOVE, number=str(number)))
        group = self.group(who)
        if target in group and len(group) > 1:
            group.remove(target)
            self.groups.append({target})

    @invariant()
    def everybody_sees_his_own_alone(self) -> None:
        with unit_of_work() as session:
            for who in CONVERSATIONS:
                group = self.group(who)
                assert set(mine(session, who)) == group
                seen = {ticket.citizen_id for ticket in latest_visible_to(session, who, 50)}
                assert seen == group
                for number, other in enumerate(CONVERSATIONS, 1):
                    found = of_citizen(session, who, f"SM20261122{number:06d}")
                    assert (found is not None) == (other in group)


def test_no_sequence_shows_somebody_anothers_tickets(gateway: Gateway) -> None:
    with unit_of_work() as session:
        for number, name in enumerate(CONVERSATIONS, 1):
            session.add(Citizen(id=name))
            session.flush()
            ticket = Ticket(
                id=f"SM20261122{number:06d}",
                citizen_id=name,
                draft_id=f"machine-{number}",
                status="accepted",
                category="air.dust",
                severity="normal",
                department="住建局",
            )
            ticket.description = plain("扬尘")
            session.add(ticket)
    few = settings(
        max_examples=6,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )

    class Machine(LinkingMachine):
        installation = gateway.settings

    Machine.TestCase.settings = few
    Machine.TestCase().runTest()
