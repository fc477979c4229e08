"""A gateway with agents, and the people who use it: for tests of hand-overs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import httpx
import pytest
import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

import base.calendar
from actions.people import _office, action_hand_over
from store.agent_models import Agent, AgentSession
from store.agents import ROLES, add_agent, set_locked
from store.database import unit_of_work
from store.handover_models import CallBack, Handover, HandoverMessage
from tests.channels.conftest import Gateway, Neighbour, fine, neighbouring, running_gateway
from tests.isolated import isolated
from tests.stack import ROOT, free_port

GUARD = {"X-Shimin-Web": "1"}
PASSWORD = "korrekt-horse-1"
NEVER = date(1900, 1, 1)
SERVICE: dict[str, Any] = {
    "id": "id_card_replace",
    "name": "居民身份证补领",
    "aliases": ["补身份证", "身份证补办", "身份证丢了"],
    "domain": "公安",
    "audience": "resident",
    "questions": ["身份证丢了怎么补办", "身份证不见了去哪里补", "补身份证要带什么"],
    "answer": "带户口簿到派出所补办，工本费40元。",
    "summary": "居民身份证丢失后申请补领。",
    "materials": [{"name": "户口簿", "required": True}],
    "steps": ["现场申请"],
    "fee": {"amount": 40, "unit": "元", "text": "工本费40元"},
    "time_limit": {"legal": "60日", "promised": "20个工作日", "text": "20个工作日内办结"},
    "place": {"text": "任一派出所", "hours": "工作日9:00-17:00"},
    "online": {"text": "可以网上预约"},
    "department": "公安局",
    "phone": "12345",
    "basis": [{"title": "居民身份证法"}],
    "checked": "2026-11-01",
    "review_by": "2027-11-01",
    "origin": "sample",
    "appointment": {"required": False, "bookable": False, "text": "不需要预约"},
}


@pytest.fixture(scope="module")
def open_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose agents work day and night."""
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    changes = {
        "gateway_port": free_port(),
        "rasa_port": rasa.port,
        "actions_port": actions.port,
        "desk_port": desk.port,
        "rasa_timeout_seconds": 2,
        "handover_hours": "mon-sun 00:00-23:59",
        "rate_citizen": "6000/minute",
        "rate_address": "60000/minute",
    }
    folder = tmp_path_factory.mktemp("handover")
    services = folder / "policies" / "services"
    services.mkdir(parents=True)
    item = yaml.safe_dump(SERVICE, allow_unicode=True)
    (services / f"{SERVICE['id']}.yml").write_text(item, "utf-8")
    models = folder / "models"
    models.mkdir()
    for trained in (ROOT / "models").glob("categories-*.npz"):
        (models / trained.name).symlink_to(trained)
    changes |= {"policies_dir": folder / "policies", "model_dir": models}
    with (
        isolated(folder, **changes) as settings,
        neighbouring(rasa),
        running_gateway(settings, rasa, actions, desk) as gateway,
    ):
        _office.cache_clear()
        with unit_of_work() as session:
            add_agent(session, "小李", PASSWORD, "agent")
            add_agent(session, "小王", PASSWORD, "agent")
            add_agent(session, "主任", PASSWORD, "admin")
            for role in ROLES:
                add_agent(session, role, PASSWORD, role)
        yield gateway
    _office.cache_clear()


@pytest.fixture
def day_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Make one day a public holiday; every other day is a working day."""

    def off(day: date) -> None:
        monkeypatch.setattr(base.calendar, "is_holiday", lambda d: d == day)

    return off


@pytest.fixture
def gateway(open_gateway: Gateway, day_off: Callable[[date], None]) -> Iterator[Gateway]:
    day_off(NEVER)
    open_gateway.rasa.answer = rasa
    open_gateway.rasa.heard.clear()
    yield open_gateway
    with unit_of_work() as session:
        for model in (CallBack, HandoverMessage, Handover, AgentSession):
            session.query(model).delete()
        for agent in session.scalars(select(Agent)):
            set_locked(session, agent, locked=False)


def rasa(body: dict[str, Any] | None) -> tuple[int, bytes]:
    """Rasa with one real action behind it."""
    if body is None:
        return 200, b"{}"
    text = body["message"]
    name = "emergency" if "着火" in text else "ask_human" if text == "/ask_human" else "greet"
    parse = {"intent": {"name": name, "confidence": 0.9}, "entities": [], "intent_ranking": []}
    if "sender" not in body:
        return 200, json.dumps({"understanding": parse}).encode()
    replies = [{"text": f"助手听到：{text}", "buttons": [], "custom": {}}]
    if name == "ask_human":
        replies = hand_over(body)
    return 200, json.dumps({"understanding": parse, "replies": replies}).encode()


def hand_over(body: dict[str, Any]) -> list[dict[str, Any]]:
    earlier = {"event": "user", "text": "我家水管爆了", "timestamp": 1.0, "metadata": {}}
    said = {"event": "bot", "text": "在哪儿？", "timestamp": 2.0, "data": {}}
    message = {
        "text": body["message"],
        "intent": {"name": "ask_human"},
        "metadata": body["metadata"],
    }
    events = [earlier, said, {"event": "user", **message}]
    dispatcher = CollectingDispatcher()
    tracker = Tracker(body["sender"], {}, message, events, False, None, {}, "action_listen")
    action_hand_over(dispatcher, tracker)
    return [
        {"text": m["text"], "buttons": m["buttons"] or [], "custom": {}}
        for m in dispatcher.messages
    ]


class Person:
    """A citizen on some channel of the Chat API."""

    def __init__(self, http: httpx.Client, name: str, channel: str = "wechat") -> None:
        self._http = http
        self.name, self.channel = name, channel

    def say(self, text: str, **more: Any) -> list[dict[str, Any]]:
        body = {"conversation_id": self.name, "channel": self.channel, "text": text, **more}
        answer = self._http.post("/api/v1/messages", json=body)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["replies"])

    def text(self, text: str, **more: Any) -> str:
        return "\n".join(reply["text"] for reply in self.say(text, **more))

    def news(self, after: int = 0) -> list[str]:
        query = {"conversation_id": self.name, "channel": self.channel, "after": after}
        found = self._http.get("/api/v1/messages", params=query).json()["messages"]
        return [reply["text"] for message in found for reply in message["replies"]]


class Staff:
    """Somebody at the console, with a browser's cookie jar."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def page(self, path: str = "/console/agents") -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.text

    def csrf(self, page: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        assert found
        return found[1]

    def log_in(self, name: str = "小李", password: str = PASSWORD) -> httpx.Response:
        form = self.http.get("/console/login").text
        data = {"csrf": self.csrf(form), "name": name, "password": password}
        return self.http.post("/console/login", data=data)

    def post(self, path: str, **data: str) -> httpx.Response:
        token = self.csrf(self.page())
        return self.http.post(f"/console/agents/{path}", data={"csrf": token, **data})


@pytest.fixture
def citizen(gateway: Gateway) -> Iterator[Callable[..., Person]]:
    with gateway.api() as http:
        yield lambda name="c-1", channel="wechat": Person(http, name, channel)


@pytest.fixture
def staff(gateway: Gateway) -> Iterator[Callable[[str], Staff]]:
    clients: list[httpx.Client] = []

    def logged_in(name: str = "小李") -> Staff:
        http = gateway.client()
        http.follow_redirects = True
        clients.append(http)
        one = Staff(http)
        answer = one.log_in(name)
        assert "退出" in answer.text
        return one

    yield logged_in
    for http in clients:
        http.close()


def only_id() -> int:
    with unit_of_work() as session:
        return session.scalars(select(Handover.id)).one()
