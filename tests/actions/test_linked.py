"""Tickets and one's own data across linked channels, as the action server answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.policy_subscriptions import action_forget_me
from actions.tickets import action_check_ticket, action_withdraw_ticket
from store.database import unit_of_work
from store.erasure_models import ConversationErasure
from store.identities import link, mine, unlink
from store.models import AuditEntry, Ticket, plain, utc_now
from store.people import citizen, read_profiles, save_profile
from store.tickets import add_event

WEB, CHAT = "web:a", "wechat:b"
TICKET = "SM20261122000001"

Build = Callable[..., Tracker]


@pytest.fixture
def linked(installation: None) -> None:
    """A ticket filed on the web page, and a linked WeChat conversation."""
    with unit_of_work() as session:
        for who in (WEB, CHAT):
            citizen(session, who)
        row = Ticket(
            id=TICKET,
            citizen_id=WEB,
            draft_id="d-1",
            status="submitted",
            category="air.cooking_fume",
            severity="normal",
            department="生态环境局",
        )
        row.description = plain("油烟")
        session.add(row)
        session.flush()
        add_event(session, row, "accepted", actor="dispatch", note="已派人查看")
        link(session, WEB, CHAT, utc_now())


def said(dispatcher: CollectingDispatcher) -> str:
    return "\n".join(str(message["text"]) for message in dispatcher.messages)


def test_a_linked_channel_sees_the_history_and_may_withdraw(linked: None, tracker: Build) -> None:
    dispatcher = CollectingDispatcher()
    action_check_ticket(dispatcher, tracker("查进度", "check_ticket", sender=CHAT))
    assert TICKET in said(dispatcher) and "已派人查看" in said(dispatcher)
    action_withdraw_ticket(dispatcher, tracker("撤回", "withdraw_ticket", sender=CHAT))
    assert "确定要撤回" in said(dispatcher)
    with unit_of_work() as session:
        readers = {row.actor for row in session.query(AuditEntry) if row.field == "note"}
        assert readers == {f"citizen:{CHAT}"}  # the audit names who looked
        unlink(session, CHAT)
    dispatcher = CollectingDispatcher()
    action_check_ticket(dispatcher, tracker(f"查{TICKET}", "check_ticket", sender=CHAT))
    assert "已派人查看" not in said(dispatcher)


def test_forgetting_says_what_stays_on_the_other_channel(linked: None, tracker: Build) -> None:
    with unit_of_work() as session:
        for who in (WEB, CHAT):
            save_profile(session, who, "resident", {"age": 40})
    dispatcher = CollectingDispatcher()
    action_forget_me(dispatcher, tracker("删除我的资料", "forget_me", sender=CHAT))
    assert "聊天记录稍后也会删除" in said(dispatcher)
    assert "“网页聊天”" in said(dispatcher) and "那边的其他资料没有动" in said(dispatcher)
    with unit_of_work() as session:
        assert mine(session, CHAT) == (CHAT,)
        assert read_profiles(session, CHAT, "test") == {}
        assert read_profiles(session, WEB, "test") != {}
        assert {row.citizen_id for row in session.query(ConversationErasure)} == {WEB, CHAT}
