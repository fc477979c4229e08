"""Coverage, simulation and unanswered questions of the console over HTTP."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from store.answer_quality import keep_unanswered
from store.database import reading, unit_of_work
from store.models import AuditEntry, Citizen, Subscription, UnclearMessage, utc_now
from store.quality_models import SettledGroup, UnansweredQuestion
from store.unclear import keep_unclear
from tests.channels.agents import Staff
from tests.channels.conftest import Gateway
from tests.channels.officials import FORMULA, SCRIPT, city_gateway, enter, gateway, subscriber

__all__ = ["city_gateway", "enter", "gateway"]
POLICIES, SIMULATION, QUESTIONS = (
    f"/console/{name}" for name in ("policies", "simulation", "unanswered")
)


@pytest.fixture
def editor(enter: Callable[[str], Staff]) -> Iterator[Staff]:
    """An editor; nobody subscribes and nobody has asked anything."""
    with unit_of_work() as session:
        for table in (UnansweredQuestion, SettledGroup, UnclearMessage, Subscription):
            session.execute(delete(table))
        session.execute(delete(Citizen).where(Citizen.id.like("web:sub%")))
    yield enter("editor")


def post(one: Staff, path: str, **data: str) -> str:
    token = one.csrf(one.page(POLICIES))
    return one.http.post(path, data={"csrf": token, **data}).text


def reads(purpose: str) -> int:
    with reading() as session:
        where = (AuditEntry.purpose == purpose, AuditEntry.actor == "agent:editor")
        return session.scalar(select(func.count()).where(*where)) or 0


def cells(page: str, row: str) -> list[str]:
    """The cells of the first table row whose heading holds these words."""
    found = next(one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if row in one)
    return [re.sub(r"<[^>]+>|\s", "", cell) for cell in re.findall(r"<td.*?</td>", found, re.S)]


# --- coverage -------------------------------------------------------------------------------


def test_coverage_is_counted_once_and_small_figures_are_hidden(editor: Staff) -> None:
    now = utc_now()
    for number in range(12):
        subscriber(number, now, district="云东区" if number < 9 else "江南区")
    before = reads("policy_coverage")
    assert "还没有统计结果" in editor.page(POLICIES)
    assert reads("policy_coverage") == before
    page = post(editor, POLICIES)
    counted = reads("policy_coverage")
    assert counted > before
    assert "高龄津贴&lt;script&gt;" in page and "<script>alert" not in page
    assert cells(page, "old_age")[:2] == ["12", "&lt;5"]
    groups = editor.page(f"{POLICIES}?policy=old_age")
    assert cells(groups, "江南区")[0] == "&lt;5" and cells(groups, "云东区")[0] == "*"
    assert "测算这项政策" in groups
    assert reads("policy_coverage") == counted  # the last count is shown again


def test_coverage_as_csv_holds_no_formula(editor: Staff) -> None:
    now = utc_now()
    for number in range(6):
        subscriber(number, now, kind="enterprise", headcount=50)
    data = {"csrf": editor.csrf(editor.page(POLICIES))}
    text = editor.http.post(f"{POLICIES}/csv", data=data).content.decode("utf-8-sig")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["政策编号"] == "hiring"]
    assert (rows[0]["政策"], rows[0]["符合条件"]) == ("'=稳岗返还", "6")


# --- simulation -----------------------------------------------------------------------------


def trial(editor: Staff, **changes: str) -> str:
    data = {"policy": "old_age", "if0.0": "80", "amount": "100", "source": "file", **changes}
    return post(editor, SIMULATION, **data)


def test_the_numbers_of_a_policy_can_be_changed_and_tried_on_a_file(editor: Staff) -> None:
    form = editor.page(f"{SIMULATION}?policy=old_age")
    assert "年龄 ≥ 80" in form and "residents.csv" in form and "<script>alert" not in form
    page = trial(editor, **{"if0.0": "70"})
    # ages 60 to 99, ten residents each: 200 before, 300 after; 1200 yuan a year each
    assert cells(page, "符合</th>") == ["200", "300"]
    assert cells(page, "新增符合")[1] == "100"
    assert cells(page, "全年金额") == ["24.0", "36.0"]
    assert cells(page, "金额变化")[1] == "+12.0"
    assert cells(page, "70–79岁")[:2] == ["0", "100"]
    assert "另有1份有错误" in page and "<svg" in page and "style=" not in page
    assert cells(trial(editor, amount="200"), "金额变化")[1] == "+24.0"


def test_the_stored_profiles_are_read_audited_and_few_are_not_told(editor: Staff) -> None:
    now = utc_now()
    for number in range(10):
        subscriber(number, now, age=85 if number < 8 else 75)
    before = reads("policy_simulation")
    page = trial(editor, source="stored", **{"if0.0": "70"})
    assert reads("policy_simulation") >= before + 10
    assert "变动涉及不足5个对象" in page
    assert cells(page, "符合</th>") == ["8", "*"] and cells(page, "新增符合")[1] == "&lt;5"
    assert "万元" not in page.split("选择政策")[1].split("numbers")[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "请先改动至少一个"),
        ({"if0.0": "多少"}, "要填数字"),
        ({"if0.0": "nan"}, "要填数字"),
        ({"if0.0": "-1"}, "数字应在0到1万亿之间"),
        ({"if0.0": "1e13"}, "数字应在0到1万亿之间"),
        ({"if0.0": "70", "source": "../secret"}, "请选择用哪些画像"),
        ({"policy": "nothing"}, "请先选择一项政策"),
    ],
)
def test_what_cannot_be_tried_is_said(editor: Staff, changes: dict[str, str], words: str) -> None:
    assert words in trial(editor, **changes)


def test_one_trial_at_a_time_and_never_for_ever(editor: Staff, gateway: Gateway) -> None:
    app: Any = gateway.server.config.app
    bench = app.state.simulation_desk.bench
    with bench._busy:
        assert "另一项测算正在进行" in trial(editor, **{"if0.0": "70"})
    bench._settings = gateway.settings.model_copy(update={"simulation_seconds": 0.000001})
    assert "已经停止" in trial(editor, **{"if0.0": "70"})
    bench._settings = gateway.settings
    assert "测算结果" in trial(editor, **{"if0.0": "70"})


# --- unanswered questions -------------------------------------------------------------------


def ask(*questions: str) -> None:
    with unit_of_work() as session:
        for number, words in enumerate(questions):
            keep_unanswered(
                session, f"{words}{number}", "unknown", words, [("id_card_replace", 0.2)]
            )


def group_of(page: str, words: str) -> str:
    part = next(one for one in page.split("<section")[1:] if words in one)
    found = re.search(r'name="questions" value="([\d,]+)"', part)
    assert found
    return found[1]


def test_a_group_is_marked_done_undone_and_known_when_it_comes_again(editor: Staff) -> None:
    ask("养狗要办狗证吗", "养狗要办狗证吗", f"{SCRIPT}狗证在哪办13812345678")
    page = editor.page(QUESTIONS)
    assert "养狗要办狗证吗</h2>" in page and "3次" in page
    assert "<script>alert" not in page and "13812345678" not in page
    assert f"{QUESTIONS}/items/id_card_replace" in page
    assert "带户口簿到派出所补办" in editor.page(f"{QUESTIONS}/items/id_card_replace")
    questions = group_of(page, "养狗要办狗证吗</h2>")
    settled = post(
        editor,
        f"{QUESTIONS}/settle",
        questions=questions, outcome="alias", matter="id_card_replace", note=FORMULA,
    )  # fmt: skip
    assert "没有待处理的问题" in settled
    done = editor.page(f"{QUESTIONS}/done")
    assert "已补别名或问法" in done and "editor" in done and "HYPERLINK" in done
    again = post(editor, f"{QUESTIONS}/settle", questions=questions, outcome="alias")
    assert "已经处理过了" in again
    with unit_of_work() as session:
        keep_unanswered(session, "later", "unknown", "养狗要办狗证吗")
    page = post(editor, f"{QUESTIONS}/settle", questions=questions, outcome="alias")
    assert "处理后又有人问" in page
    number = re.search(r'name="group" value="(\d+)"', done)
    assert number
    assert "没有处理过" in post(editor, f"{QUESTIONS}/reopen", group=number[1])
    assert "4次" in editor.page(QUESTIONS)
    assert reads("unanswered_questions")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": "nonsense"}, "请选择怎么处理的"),
        ({"matter": "no_such"}, "目录里没有这个事项"),
        ({"note": "长" * 201}, "最多200个字"),
        ({"questions": "1;DROP TABLE"}, "没有这组问题"),
        ({"questions": ""}, "没有这组问题"),
    ],
)
def test_what_cannot_be_marked_is_said(editor: Staff, changes: dict[str, str], words: str) -> None:
    ask("养狗要办狗证吗")
    data = {"questions": group_of(editor.page(QUESTIONS), "养狗"), "outcome": "alias", **changes}
    assert words in post(editor, f"{QUESTIONS}/settle", **data)
    with reading() as session:
        assert session.scalars(select(SettledGroup)).all() == []


def test_what_was_not_understood_can_be_read(editor: Staff) -> None:
    with unit_of_work() as session:
        ranking = [{"name": "ask_service", "confidence": 0.41}]
        keep_unclear(session, "m1", f"那个{SCRIPT}咋弄啊", ranking, 90)
    page = editor.page(f"{QUESTIONS}/unclear")
    assert "咋弄啊" in page and "ask_service 0.41" in page and "<script>alert" not in page


def test_old_questions_are_beyond_the_period(editor: Staff) -> None:
    ask("养狗要办狗证吗")
    with unit_of_work() as session:
        row = session.scalars(select(UnansweredQuestion)).one()
        row.at = utc_now() - timedelta(days=40)
    assert "没有待处理的问题" in editor.page(QUESTIONS)
    assert "养狗" in editor.page(f"{QUESTIONS}?days=90")
