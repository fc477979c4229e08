"""A citizen and a member of staff in one chat, with the assistant before and after."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import httpx
import pytest

from base.calendar import CITY_TIME, WeeklyHours, city_today, is_holiday
from enquiries.handover.promise import later
from enquiries.handover.wording import clock
from tests.e2e.driver import Citizen
from tests.stack import Stack
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.e2e

NAME, PASSWORD = "小周", "korrekt-horse-1"


class Agent:
    """A member of staff at the console."""

    def __init__(self, stack: Stack) -> None:
        self._http = httpx.Client(base_url=stack.url, timeout=WAIT_SECONDS, follow_redirects=True)
        token = self._token(self._http.get("/console/login").text)
        form = {"csrf": token, "name": NAME, "password": PASSWORD}
        assert "排队与对话" in self._http.post("/console/login", data=form).text

    def close(self) -> None:
        """Release the connection."""
        self._http.close()

    def page(self, path: str = "") -> str:
        """A page of the agents' part of the console, as it is read."""
        answer = self._http.get(f"/console/agents{path}")
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return html.unescape(answer.text)

    def do(self, path: str, **data: str) -> str:
        """Take a step in a form; return the page that follows."""
        token = self._token(self.page())
        answer = self._http.post(f"/console/agents/{path}", data={"csrf": token, **data})
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return html.unescape(answer.text)

    def waiting(self) -> list[str]:
        """Numbers of the conversations in the queue, the first in front."""
        return re.findall(r"/console/agents/(\d+)/claim", self.page())

    def claim_first(self) -> int:
        """Take the first of the queue; return the number of the conversation."""
        number = next(iter(self.waiting()))
        self.do(f"{number}/claim")
        return int(number)

    def empty_queue(self) -> None:
        """Take and end whatever a test before has left."""
        while self.waiting():
            self.do(f"{self.claim_first()}/end")

    def reply(self, talk: int, words: str) -> None:
        """Write to the citizen."""
        key = re.search(r'name="key" value="([0-9a-f]+)"', self.page(f"/{talk}"))
        assert key
        self.do(f"{talk}/reply", text=words, key=key[1])

    @staticmethod
    def _token(page: str) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        assert found
        return found[1]


@pytest.fixture(scope="module")
def staffed(stack: Stack) -> Iterator[Stack]:
    """The installation while somebody works day and night; for other tests nobody does."""
    added = stack.shimin("agents", "add", NAME, given=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    with working(stack, "mon-sun 00:00-23:59"):
        yield stack
    assert stack.shimin("agents", "lock", NAME).returncode == 0


@pytest.fixture
def agent(staffed: Stack) -> Iterator[Agent]:
    if is_holiday(city_today()):
        pytest.skip("nobody is at work on a public holiday")
    person = Agent(staffed)
    person.empty_queue()
    yield person
    person.close()


def test_the_queue_a_person_and_back_to_the_assistant(
    agent: Agent, new_citizen: Callable[[], Citizen]
) -> None:
    first, second = new_citizen(), new_citizen()
    first.say("社保卡丢了怎么补")
    assert "下一位就是您" in first.say("转人工").text
    assert "第2位" in second.say("我要找人工客服").text
    assert "第2位" in second.say("排到第几了").text
    asked = second.say("护照多少钱")
    assert asked.card("service")["id"] == "passport", "the assistant goes on while he waits"
    assert "不转人工了" in second.say("不用人工了").text

    talk = agent.claim_first()
    shown = agent.page(f"/{talk}")
    assert "社保卡丢了怎么补" in shown, "he need not say it again"
    assert "人工已接入" in first.wait_news("人工已接入")["text"]
    assert "已转给工作人员" in first.say("我卡里的钱还在吗").text
    assert "我卡里的钱还在吗" in agent.page(f"/{talk}")
    agent.reply(talk, "余额不受影响，先打12333挂失。")
    first.wait_news("余额不受影响，先打12333挂失。")
    assert first.post("好的，谢谢").json()["replies"] == [], "no assistant between two people"
    agent.do(f"{talk}/end")
    assert "满意" in str(first.wait_news("市民助手回来了")["buttons"])
    assert "谢谢" in first.press("满意").text
    assert first.say("护照多少钱").card("service")["id"] == "passport"


def test_the_citizen_goes_back_to_the_assistant_himself(agent: Agent, citizen: Citizen) -> None:
    citizen.say("身份证丢了怎么补")
    citizen.say("转人工")
    talk = agent.claim_first()
    citizen.wait_news("人工已接入")
    citizen.say("我人在外地")
    assert "119" in citizen.say("隔壁着火了").text, "danger is answered whoever is there"
    assert "隔壁着火了" in agent.page(f"/{talk}")
    assert "市民助手回来了" in citizen.say("回到机器人").text
    back = citizen.say("还是说回刚才那个身份证，要多少钱")
    assert back.card("service")["id"] == "id_card_replace"
    assert f"{talk}/reply" not in agent.page(f"/{talk}"), "the agent sees that it is over"


def test_out_of_hours_a_call_is_promised_for_a_time(staffed: Stack, citizen: Citizen) -> None:
    now = datetime.now(CITY_TIME)
    hours = "mon-fri 15:00-17:00" if now.hour < 12 else "mon-fri 06:00-08:00"
    expected = later(WeeklyHours.parse(hours), now, minutes=60)
    assert expected is not None
    with working(staffed, hours):
        offer = citizen.say("转人工")
        assert "留一个电话号码" in offer.text
        assert clock(expected) in offer.text
        assert citizen.say("护照多少钱").card("service")["id"] == "passport"
        noted = citizen.say("13812345678").text
        assert clock(expected) in noted
        assert "13812345678" not in noted
        assert "5678" in noted
        assert clock(expected) in citizen.say("什么时候给我回电").text
        assert "回电取消了" in citizen.say("取消回电").text
        assert citizen.say("护照要多久").card("service")["id"] == "passport"


@contextmanager
def working(stack: Stack, hours: str) -> Iterator[None]:
    """The installation with other hours of its staff."""
    usual = stack.settings["SHIMIN_HANDOVER_HOURS"]
    try:
        _restart(stack, hours)
        yield
    finally:
        _restart(stack, usual)


def _restart(stack: Stack, hours: str) -> None:
    stack.settings["SHIMIN_HANDOVER_HOURS"] = hours
    for name in ("actions", "gateway"):
        stack.stop(name)
        stack.start(name)
    stack.wait_healthy()
