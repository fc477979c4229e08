"""Words and cards about policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from actions.policy_aspects import Aspect
from actions.turn import button
from base.settings import Settings
from matcher.alternatives import alternatives, compare
from matcher.counterfactual import Counterfactual
from matcher.eligibility import evaluate
from matcher.explain import explain
from matcher.notices.decide import STAGES
from matcher.policy import Policy
from matcher.profile import ATTRIBUTES, Attribute, Profile, complete
from matcher.questions import askable
from matcher.ranking import Match, Scope
from matcher.service import FIRST_SENTENCE, first_sentence
from store.consents import MATCHING
from store.feedback import REMIND
from store.models import utc_now
from store.tickets import city_day

Buttons = list[dict[str, str]]

SHOWN = 5
NEARLY_SHOWN = 2
SOON_DAYS = 30
"""A window that closes within so many days is told with the days left."""
VERDICTS = {"eligible": "符合", "possible": "可能符合", "ineligible": "不符合"}
_LEVELS = {"national": "国家", "province": "省级", "city": "市级", "district": "区级"}
FEEDBACK = {"applied": "已申请", "declined": "不感兴趣"}
"""What the buttons under a policy say of it, and their titles."""
_CHANNELS = {
    "chat": "对话",
    "email": "邮箱",
    "wecom": "企业微信群",
    "dingtalk": "钉钉群",
    "feishu": "飞书群",
}
_NOTES = {
    "noted": "这个记下了。",
    "not_understood": "这个我没听明白。",
    "contradiction": "您说的情况前后对不上，请再核对一下。",
}


def ask_kind(notes: tuple[str, ...]) -> tuple[str, Buttons]:
    """Ask whether policies for an enterprise or for a resident are wanted."""
    lead = "".join(_NOTES[note] for note in notes if note in _NOTES)
    return f"{lead}您是给企业找政策，还是给个人、家里人找？", [
        button("给企业找", "choose_kind", kind="enterprise"),
        button("给个人找", "choose_kind", kind="resident"),
    ]


def ask_attribute(
    attribute: Attribute | None, notes: tuple[str, ...], *, first: bool
) -> tuple[str, Buttons]:
    """Ask for one datum; the first time with the purpose of asking."""
    assert attribute is not None
    lead = "".join(_NOTES[note] for note in notes if note in _NOTES)
    purpose = f"我先问几个情况，帮您筛。{MATCHING}\n" if first and not notes else ""
    return f"{lead}{purpose}{attribute.question}", _answers(attribute)


def results(
    matches: Sequence[Match],
    wanted: Attribute | None,
    profile: Profile,
    notes: tuple[str, ...],
    nearly: Sequence[tuple[Match, Counterfactual]] = (),
) -> tuple[str, Buttons, list[dict[str, Any]]]:
    """Show ranked policies with reasons, and ask for the datum that would decide most.

    ``nearly`` are policies that fail by one condition; the first few are told after the rest.
    """
    shown = matches[:SHOWN]
    lead = "".join(_NOTES[note] for note in notes if note in _NOTES)
    today = city_day(utc_now())
    text = f"{lead}{_found_text(shown, today)}"
    choices = [group for group in alternatives(shown) if group[0].evaluation.verdict == "eligible"]
    if choices:
        text += "\n" + compare([found.policy for found in choices[0]], profile, today)
    text += _nearly_text(shown, nearly)
    cards = [policy_card(m.policy, m.evaluation.verdict, m.reasons) for m in shown]
    if wanted is None:
        sure = [found.policy for found in shown if found.evaluation.verdict == "eligible"]
        apply = [_apply_button(found.policy) for found in shown[:3]]
        return text, apply + remind_buttons(sure, today), cards
    decides = [m.policy.title for m in matches if _lacks(m, wanted, profile)]
    more = f"等{len(decides)}项" if len(decides) > 1 else ""
    about = f"，就能判断《{decides[0]}》{more}" if decides else ""
    text += f"\n再告诉我一个情况{about}：{wanted.question}"
    return text, _answers(wanted, results_shown=True), cards


def policy_detail(
    policy: Policy,
    profile: Profile,
    said: str | None = None,
    choice: str = "",
    aspect: Aspect = "amount",
) -> tuple[str, Buttons, dict[str, Any]]:
    """Tell all about one policy, with the verdict for this profile and what was said of it.

    It begins with what was asked, in a sentence of at most ``FIRST_SENTENCE`` characters.
    ``choice`` compares it with what cannot be had beside it.
    """
    evaluation = evaluate(policy, complete(profile))
    reasons = explain(policy, evaluation, profile)
    verdict = VERDICTS[evaluation.verdict] if profile.attributes else None
    lines = _detail_lines(policy, verdict, aspect)
    first = _first_line(policy, lines, aspect)
    said_first = first.removesuffix("。")
    told = [line for line in lines.values() if not line.removesuffix("。").endswith(said_first)]
    text = "\n".join([first, f"【{policy.title}】{policy.summary}", *told])
    text += f"\n{choice}" if choice else ""
    buttons = [] if said in (REMIND, "applied") else remind_buttons([policy])
    buttons += [button("帮我看看符不符合", "choose_kind", kind=policy.audience)]
    buttons += [
        button(title, "choose_policy", policy_id=policy.id, value=value)
        for value, title in FEEDBACK.items()
        if value != said
    ]
    return text, buttons, policy_card(policy, evaluation.verdict, reasons)


def _detail_lines(policy: Policy, verdict: str | None, aspect: Aspect) -> dict[Aspect, str]:
    """Return what is told of a policy below its title; the conditions only when asked for."""
    online = f"；网上：{policy.apply.online}" if policy.apply.online else ""
    lines: dict[Aspect, str] = {
        "amount": f"能得到：{policy.benefit.text}",
        "window": f"申请时间：{window_text(policy)}",
        "materials": f"要准备：{'、'.join(policy.materials)}",
        "apply": f"去哪办：{policy.apply.place}{online}",
    }
    if aspect == "conditions":
        conditions = "；".join(condition.text for condition in policy.eligibility)
        lines["conditions"] = f"条件：{conditions}"
    if verdict is not None:
        lines["verdict"] = f"按您说的情况：{verdict}。"
    return lines


def _first_line(policy: Policy, lines: Mapping[Aspect, str], aspect: Aspect) -> str:
    """Return the line of ``aspect`` if its first sentence is short enough, else a shorter one."""
    if aspect == "conditions":
        return lines.get("verdict") or f"要符合{len(policy.eligibility)}个条件。"
    whole = lines[aspect] if lines[aspect].endswith("。") else f"{lines[aspect]}。"
    if len(first_sentence(whole)) <= FIRST_SENTENCE:
        return whole
    shorter = {
        "materials": f"要准备{len(policy.materials)}样材料。",
        "apply": f"到{policy.apply.place}申请。",
    }.get(aspect, f"{policy.benefit.text}。")
    if len(first_sentence(shorter)) <= FIRST_SENTENCE:
        return shorter
    return "标准和办法如下。"


def scope(said: Mapping[str, str], *, include_ineligible: bool = False) -> Scope:
    """Return what a list leaves out or puts last after what the citizen said of policies."""
    return Scope(
        include_ineligible=include_ineligible,
        received=frozenset(name for name, word in said.items() if word == "applied"),
        declined=frozenset(name for name, word in said.items() if word == "declined"),
    )


def feedback_taken(policy: Policy, said: str) -> tuple[str, Buttons]:
    """Say what a feedback button changes, and offer the way back."""
    other = "declined" if said == "applied" else "applied"
    back = [button(FEEDBACK[other], "choose_policy", policy_id=policy.id, value=other)]
    if said == "applied":
        return f"好的，记下您已申请《{policy.title}》，不再提醒，也不再推荐。", back
    return f"好的，《{policy.title}》不再提醒，以后排在后面。", back


def remind_buttons(policies: Sequence[Policy], today: date | None = None) -> Buttons:
    """Offer a reminder for the one of ``policies`` that closes soonest, where one is in time."""
    day = today or city_day(utc_now())
    soon = [
        (left, policy)
        for policy in policies
        if (left := days_left(policy, day)) is not None and left > 1
    ]
    if not soon:
        return []
    _, policy = min(soon, key=lambda pair: pair[0])
    title = "到期前提醒我" if len(policies) == 1 else f"{policy.title}到期前提醒我"
    return [button(title, "choose_policy", policy_id=policy.id, value=REMIND)]


def reminder_taken(policy: Policy, today: date) -> tuple[str, Buttons]:
    """Say when one is reminded, and how it ends; or that there is nothing to wait for."""
    closes = policy.window.closes
    if closes is None:
        return f"《{policy.title}》没有截止日期，随时可以申请，不用提醒。", []
    if policy.window.state(today) == "closed":
        return f"《{policy.title}》已经截止了。", []
    days = [str(days) for days, _ in reversed(STAGES) if (closes - today).days > days]
    if not days:
        return f"《{policy.title}》马上就截止了（{closes:%Y年%m月%d日}），请尽快申请。", []
    text = (
        f"好的，《{policy.title}》{closes:%Y年%m月%d日}截止，还剩{'、'.join(days)}天时提醒您。"
        "不想要了，回复“退订”。"
    )
    return text, [button("已申请", "choose_policy", policy_id=policy.id, value="applied")]


def subscribed(settings: Settings, *, new: bool) -> tuple[str, Buttons]:
    """Say what was subscribed to: what is told, how often, when not, and how to end it."""
    lead = "已为您登记政策提醒" if new else "您已经登记过政策提醒了"
    start, end = settings.notice_quiet_from, settings.notice_quiet_to
    quiet = f"，{start}点到次日{end}点不打扰" if start > end else ""
    often = f"每{settings.notice_cap_days}天最多{settings.notice_cap}条"
    text = (
        f"{lead}：有您符合条件的新政策、政策有变化或者快截止了，就在这里告诉您。"
        f"{often}{quiet}。只按您说过的情况匹配；不想要了，回复“退订”。"
    )
    return text, [button("退订", "unsubscribe_policies")]


def unsubscribed(left: Sequence[str], *, ended: bool) -> tuple[str, Buttons]:
    """Say that it has ended, and where policies are still told."""
    text = "已取消订阅，不会再在这里给您推送政策。" if ended else "您没有订阅政策推送。"
    if not left:
        return text, []
    names = "、".join(_CHANNELS.get(channel, channel) for channel in left)
    return f"{text}您登记的{names}还会收到，也不要了就回复“全部退订”。", [
        button("全部退订", "unsubscribe_policies", value="all")
    ]


def which_policy(choices: Sequence[Policy]) -> tuple[str, Buttons]:
    """Ask which policy is meant, or say that it is not known."""
    if choices:
        return "您问的是下面哪一项？", [
            button(policy.title, "choose_policy", policy_id=policy.id) for policy in choices
        ]
    return (
        "这项政策我这里没有准确的资料，不敢乱说。您可以说说情况让我帮您找，或拨打12345问人工。",
        [button("帮我找政策", "ask_policy"), button("转人工", "ask_human")],
    )


def policy_card(policy: Policy, verdict: str, reasons: Sequence[str]) -> dict[str, Any]:
    """Return the ``policy`` card of the Chat API."""
    number = f"（{policy.document.number}）" if policy.document.number else ""
    sample = "（示例城市政策）" if policy.origin == "sample" else ""
    source = f"{_LEVELS[policy.level]}·{policy.issuer}《{policy.document.title}》{number}{sample}"
    fields = {
        "结论": VERDICTS[verdict],
        "支持标准": policy.benefit.text,
        "条件": "\n".join(reasons),
        "申请时间": window_text(policy),
        "申请方式": "\n".join(filter(None, [policy.apply.place, policy.apply.online])),
        "材料": "、".join(policy.materials),
        "依据": source,
    }
    if policy.apply.phone:
        fields["咨询电话"] = policy.apply.phone
    return {"kind": "policy", "id": policy.id, "title": policy.title, "fields": fields}


def window_text(policy: Policy, today: date | None = None) -> str:
    """Say when one may apply."""
    window = policy.window
    day = today or city_day(utc_now())
    state = window.state(day)
    text = {"open": "现在可以申请", "upcoming": "还没开始", "closed": "已经截止"}[state]
    if window.opens and state == "upcoming":
        text += f"，{window.opens:%Y年%m月%d日}开始"
    left = days_left(policy, day)
    if left is not None:
        text += "，今天截止" if left == 0 else f"，还有{left}天截止（{window.closes:%Y年%m月%d日}）"
    elif window.closes:
        text += f"，{window.closes:%Y年%m月%d日}截止"
    return f"{text}。{window.note}" if window.note else text


def days_left(policy: Policy, today: date) -> int | None:
    """Return the days until an open window closes, None unless that is soon."""
    closes = policy.window.closes
    if closes is None or policy.window.state(today) != "open":
        return None
    left = (closes - today).days
    return left if left <= SOON_DAYS else None


def facts_text(kind: str, facts: Mapping[str, Any]) -> str:
    """Say facts back: 从业人数80人、年营业收入2000万元."""
    columns = ATTRIBUTES[kind]
    return "、".join(f"{columns[k].label}{columns[k].describe(v)}" for k, v in facts.items())


def _found_text(shown: Sequence[Match], today: date) -> str:
    if not shown:
        return "按您说的情况，暂时没有找到对得上的政策。"
    sure = sum(found.evaluation.verdict == "eligible" for found in shown)
    parts = [f"{sure}项符合条件"] if sure else []
    parts += [f"{len(shown) - sure}项可能符合"] if len(shown) > sure else []
    names = "\n".join(
        f"{number}. {found.policy.title}（{VERDICTS[found.evaluation.verdict]}）："
        f"{found.policy.benefit.text}{_closing(found.policy, today)}"
        for number, found in enumerate(shown, start=1)
    )
    return f"找到{'，'.join(parts)}：\n{names}\n是否符合以受理部门审核为准。"


def _closing(policy: Policy, today: date) -> str:
    left = days_left(policy, today)
    if left is None:
        return ""
    return "，今天截止" if left == 0 else f"，还有{left}天截止"


def _nearly_text(shown: Sequence[Match], nearly: Sequence[tuple[Match, Counterfactual]]) -> str:
    listed = {found.policy.id for found in shown}
    told = [
        f"《{found.policy.title}》：{one.text}"
        for found, one in nearly
        if found.policy.id not in listed
    ]
    return "\n还有只差一点的：\n" + "\n".join(told[:NEARLY_SHOWN]) if told else ""


def _apply_button(policy: Policy) -> dict[str, str]:
    return button(f"{policy.title}怎么申请", "choose_policy", policy_id=policy.id)


def _lacks(found: Match, wanted: Attribute, profile: Profile) -> bool:
    lacking = askable(found.evaluation.missing, profile)
    return found.evaluation.verdict == "possible" and wanted.name in lacking


def _answers(attribute: Attribute, *, results_shown: bool = False) -> Buttons:
    buttons: Buttons = []
    if attribute.type == "boolean":
        buttons = [
            button("是", "answer_profile", value="是"),
            button("不是", "answer_profile", value="不是"),
        ]
    elif attribute.type == "choice" and len(attribute.choices) <= 8:
        buttons = [
            button(choice.label, "answer_profile", value=choice.label)
            for choice in attribute.choices
        ]
    buttons.append(button("不清楚", "answer_profile", value="不清楚"))
    if results_shown:
        buttons.append(button("就看到这里", "cancel"))
    else:
        buttons.append(button("先看结果", "show_results"))
    return buttons
