"""The whole way of a hand-over: chat page, Chat API and the agents' pages of one gateway."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import select

from base.calendar import CITY_TIME
from store.database import unit_of_work
from store.handover_models import CallBack, Handover
from store.models import AuditEntry, Citizen, plain
from tests.channels.agents import (
    GUARD,
    Person,
    Staff,
    citizen,
    day_off,
    gateway,
    only_id,
    open_gateway,
    staff,
)
from tests.channels.conftest import Gateway
from tests.channels.photos import attachment, encoded, scene

__all__ = ["citizen", "day_off", "gateway", "open_gateway", "staff"]


# --- the way --------------------------------------------------------------------------------


def test_from_the_queue_to_a_person_and_back(
    gateway: Gateway, citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who = citizen()
    assert "下一位就是您" in who.text("/ask_human")
    assert who.text("你好") == "助手听到：你好"  # the assistant is still there
    assert "下一位就是您" in who.text("排到第几了")
    assert "下一位就是您" in who.text("/handover_position")
    agent = staff()
    assert "接入第1位" in agent.page()
    page = agent.post(f"{only_id()}/claim").text
    for said in ("我家水管爆了", "在哪儿？", "助手听到：你好"):
        assert said in page
    assert "人工已接入" in who.news()[-1]
    before = len(gateway.rasa.heard)
    assert "已转给工作人员" in who.text("漏得很厉害")
    assert who.say("在云东区") == []
    assert [b for b in gateway.rasa.heard[before:] if "sender" in b] == []
    page = agent.page(f"/console/agents/{only_id()}")
    assert "漏得很厉害" in page and "在云东区" in page
    key = re.search(r'name="key" value="([0-9a-f]+)"', page)
    assert key
    for _ in range(2):  # a double click
        agent.post(f"{only_id()}/reply", text="已经派人去了", key=key[1])
    assert who.news().count("工作人员：已经派人去了") == 1
    agent.post(f"{only_id()}/end")
    assert "市民助手回来了" in who.news()[-1]
    assert "谢谢" in who.text('/handover_rate{"score": "5"}')
    assert who.text("你好") == "助手听到：你好"
    with unit_of_work() as session:
        row = session.scalars(select(Handover)).one()
        assert (row.state, row.rating) == ("ended", 5)


def test_who_waits_for_nobody_is_told_so_and_offered_a_person(
    gateway: Gateway, citizen: Callable[..., Person]
) -> None:
    who = citizen()
    (said,) = who.say("排到第几了")
    assert "没有在排队" in said["text"]
    assert said["buttons"] == [{"title": "转人工", "payload": "/ask_human"}]
    assert gateway.rasa.heard == []
    assert who.text("排到几号了") == "助手听到：排到几号了"  # a hall's number
    assert who.text("还要等多久") == "助手听到：还要等多久"
    who.say("/ask_human")
    assert "下一位就是您" in who.text("我排第几")


def test_markup_is_read_as_words_and_shown_as_written(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who = citizen()
    assert who.text("<b>社保卡</b>丢了") == "助手听到：社保卡丢了"
    who.say("/ask_human")
    agent = staff()
    agent.post(f"{only_id()}/claim")
    who.say("<b>漏得</b>厉害")
    page = agent.page(f"/console/agents/{only_id()}")
    assert html.escape("<b>漏得</b>厉害") in page


def test_the_same_on_the_web_page(gateway: Gateway, staff: Callable[..., Staff]) -> None:
    with gateway.client() as page:
        page.post("/web/session", headers=GUARD)
        page.post("/web/messages", json={"text": "/ask_human"}, headers=GUARD)
        agent = staff()
        agent.post(f"{only_id()}/claim")
        agent.post(f"{only_id()}/reply", text="您好", key="k-web")
        with page.stream("GET", "/web/events") as stream:
            lines = (line for line in stream.iter_lines() if line.startswith("data: "))
            heard = [json.loads(next(lines)[6:])["replies"][0]["text"] for _ in range(2)]
        assert "人工已接入" in heard[0]
        assert heard[1] == "工作人员：您好"


def test_photos_and_places_reach_the_agent(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    who.say("/ask_human")
    agent.post(f"{only_id()}/claim")
    photo = attachment(encoded(scene()))
    place = {"type": "location", "latitude": 30.2741, "longitude": 120.1551}
    who.say("", attachments=[photo, place])
    page = agent.page(f"/console/agents/{only_id()}")
    link = re.search(r'<img src="(/media/[^"]+)"', page)
    assert link and "30.27410，120.15510" in page
    picture = agent.http.get(html.unescape(link[1]))
    assert picture.headers["Content-Type"] == "image/jpeg"


def test_the_citizen_ends_it_in_his_own_words(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    who.say("/ask_human")
    agent.post(f"{only_id()}/claim")
    assert "市民助手回来了" in who.text("回到机器人")
    assert who.text("你好") == "助手听到：你好"
    answer = agent.post(f"{only_id()}/reply", text="还在吗", key="k-late")
    assert answer.status_code == 409
    assert "刚才的操作没有执行" in answer.text
    assert "还在吗</textarea>" in answer.text  # what he wrote is not lost
    assert not any("还在吗" in text for text in who.news())


def test_danger_is_met_with_the_numbers_also_while_a_person_is_there(
    gateway: Gateway, citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    who.say("/ask_human")
    agent.post(f"{only_id()}/claim")
    assert "119" in who.text("厨房着火了")
    assert "厨房着火了" in agent.page(f"/console/agents/{only_id()}")
    gateway.rasa.answer = lambda _: (500, b"")  # nothing is lost without the assistant
    assert who.say("火更大了") == []
    assert "火更大了" in agent.page(f"/console/agents/{only_id()}")


def test_leaving_the_queue_and_pressing_too_late(citizen: Callable[..., Person]) -> None:
    who = citizen()
    who.say("/ask_human")
    assert "不转人工了" in who.text("不用人工了")
    assert "没有在排队" in who.text("/handover_position")
    assert "没有在排队" in who.text("/handover_leave")
    assert "没有在排队" in who.text('/handover_rate{"score": "5"}')


def test_a_call_instead_of_waiting(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    who.say("/ask_human")
    assert who.text("13912345678") == "助手听到：13912345678"  # nobody asked for it
    assert "留一个电话号码" in who.text("/handover_callback")
    assert "139****5678" in who.text("13912345678")
    page = agent.page("/console/agents/calls")
    assert "13912345678" not in page
    assert "13912345678" in agent.post(f"calls/{only_id()}/number").text
    agent.post(f"calls/{only_id()}/missed")
    assert "没有接通" in who.news()[-1]
    agent.post(f"calls/{only_id()}/reached")
    assert "没有要回的电话" in agent.page("/console/agents/calls")
    assert agent.post(f"calls/{only_id()}/number").status_code == 409


def test_out_of_hours(
    citizen: Callable[..., Person], day_off: Callable[[date], None], gateway: Gateway
) -> None:
    today = datetime.now(CITY_TIME).date()
    day_off(today)
    tomorrow = today + timedelta(days=1)
    promised = f"{tomorrow.month}月{tomorrow.day}日"
    who = citizen()
    said = who.text("/ask_human")
    assert "现在不在线" in said and promised in said and "01:00前" in said
    assert who.text("身份证怎么补办") == "助手听到：身份证怎么补办"
    assert "138****5678" in who.text("我电话是13812345678")
    assert promised in who.text("什么时候给我回电")
    assert "189****5678" in who.text("18912345678")  # another number
    assert "号码已删除" in who.text("取消回电")
    other = citizen("c-2")
    other.say("/ask_human")
    assert "不转人工了" in other.text("先不用了")
    with unit_of_work() as session:
        states = [row.state for row in session.scalars(select(Handover))]
        assert states == ["cancelled", "cancelled"]
        assert all(row.contact is None for row in session.scalars(select(CallBack)))


def test_another_agent_and_the_queue(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, li, wang = citizen(), staff("小李"), staff("小王")
    who.say("/ask_human")
    li.post(f"{only_id()}/claim")
    assert wang.post(f"{only_id()}/claim").status_code == 409
    assert wang.http.get(f"/console/agents/{only_id()}").status_code == 409
    assert li.post(f"{only_id()}/transfer", to="没有的人").status_code == 409
    li.post(f"{only_id()}/transfer", to="小王")
    assert "等您回复" in wang.page()
    assert "另一位工作人员" in who.news()[-1]
    wang.post(f"{only_id()}/transfer", to="queue", topic="policy")
    assert "重新排队" in who.news()[-1]
    assert "找政策" in li.page()


def test_the_admin_may_look_and_not_speak(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    citizen().say("/ask_human")
    staff("小李").post(f"{only_id()}/claim")
    boss = staff("主任")
    assert "同事的对话" in boss.page()
    assert "您只能查看" in boss.page(f"/console/agents/{only_id()}")
    assert boss.post(f"{only_id()}/reply", text="我来", key="k-boss").status_code == 409


def test_new_lines_are_read_once(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    who.say("/ask_human")
    agent.post(f"{only_id()}/claim")
    page = agent.page(f"/console/agents/{only_id()}")
    last = re.search(r'data-last="(\d+)"', page)
    assert last
    new = f"/console/agents/{only_id()}/new?after="
    assert agent.http.get(new + last[1]).status_code == 204
    audited = audit_count()
    assert agent.http.get(new + last[1]).status_code == 204
    assert audit_count() == audited
    who.say("还有一件事")
    lines = agent.http.get(new + last[1]).text
    assert lines.count("<li") == 1 and "还有一件事" in lines
    assert audit_count() == audited + 1


def audit_count() -> int:
    with unit_of_work() as session:
        return len(
            session.scalars(select(AuditEntry).where(AuditEntry.actor.like("agent:%"))).all()
        )


def test_the_role_decides_what_is_seen(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    citizen().say("/ask_human")
    with unit_of_work() as session:
        known = {"resident": {"age": 67, "disability_level": 2}}
        session.merge(Citizen(id="wechat:c-1", phone=plain("13812345678"), profile=plain(known)))
    li, boss = staff("小李"), staff("主任")
    li.post(f"{only_id()}/claim")
    page = li.page(f"/console/agents/{only_id()}")
    assert "67" in page and "138****5678" in page
    assert "残疾等级" not in page and "另有1项敏感资料" in page
    assert "残疾等级" in boss.page(f"/console/agents/{only_id()}")
    with unit_of_work() as session:
        actors = set(session.scalars(select(AuditEntry.actor).where(AuditEntry.field == "profile")))
    assert {"agent:小李", "agent:主任"} <= actors


def test_words_of_citizens_are_only_words(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
    who.say("/ask_human")
    agent.post(f"{only_id()}/claim")
    who.say(evil)
    agent.post(f"{only_id()}/reply", text=evil, key="k-evil")
    answer = agent.http.get(f"/console/agents/{only_id()}")
    assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
    assert html.escape(evil, quote=False).split("&quot;")[0][:30] in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    found = agent.post(f"{only_id()}/search", q=evil, text=evil)
    assert "<script>alert" not in found.text


def test_a_ready_answer_is_found_and_put_into_the_reply(
    citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    who, agent = citizen(), staff()
    who.say("/ask_human")
    agent.post(f"{only_id()}/claim")
    found = agent.post(f"{only_id()}/search", q="身份证丢了", text="您好，").text
    assert "居民身份证补领" in found and 'value="id_card_replace"' in found
    assert ">您好，</textarea>" in found  # what is being written stays
    put = agent.post(f"{only_id()}/search", q="身份证丢了", text="您好，", insert="id_card_replace")
    assert "带户口簿到派出所补办" in put.text and "要带：户口簿。</textarea>" in put.text
    assert "人工已接入" in who.news()[-1]  # nothing was sent
    assert agent.post(f"{only_id()}/search", q="x", insert="unknown").status_code == 200
