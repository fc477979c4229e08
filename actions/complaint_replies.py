"""Words of the complaint form."""

from __future__ import annotations

from actions.turn import button
from dispatch.case.limits import limit_hours
from dispatch.classification.categories import Categories, Category
from dispatch.places.map_links import map_link
from dispatch.reporting.contact import masked
from dispatch.reporting.draft import Draft, Spot
from store.models import Ticket

Buttons = list[dict[str, str]]

NOTES = {
    "danger": "要是现在有人有危险，请先打120急救、119或110，我不能代替您报警。"
    "您说的我都留着，打完再接着填。",
    "photos_received": "照片收到了。",
    "too_many_photos": "照片最多收9张，前9张已经收下。",
    "videos_received": "视频收到了。",
    "too_many_videos": "视频只收1段，先收到的那段已经留下。",
    "photo_old": "照片是一周以前拍的，我只当参考。",
    "photo_elsewhere": "照片里的位置不在云州市，我只当参考。",
    "contact_saved": "电话记下了，只给承办单位联系您用。",
    "contact_removed": "好的，不留电话，匿名提交。",
    "divided": "好的，一件一件来，先报这一件。",
    "next_problem": "接着报另一件。",
    "draft_dropped": "您上次没填完的投诉放得太久，已经清掉了，咱们重新来。",
    "outside_city": "这个位置不在云州市范围内，我们管不到；如果定位有偏差，请直接打地址。"
    "不在云州市的问题，可以拨打当地的12345。",
    "words_full": "文字已经很长了，这一段没有加进去；提交后还可以再补充。",
    "place_not_found": "这个地方我没有找到。",
}


def question(draft: Draft, gap: str, categories: Categories) -> tuple[str, Buttons]:
    """Return the question for a gap, with remarks on what just came in."""
    lead = "".join(NOTES[note] for note in draft.notes if note in NOTES)
    ask = {"words": _ask_words, "place": _ask_place}.get(gap)
    text, buttons = ask(draft) if ask else _ask_confirmation(draft, categories)
    if "asked_already" in draft.notes:  # one more photo of an album: the question stands above
        return f"{lead}现在有{_media_text(draft)}。", buttons
    return (f"{lead}\n{text}" if lead else text), buttons


def filed_text(ticket: Ticket, category: Category) -> str:
    """Return what the citizen hears once the ticket is stored."""
    respond, resolve = limit_hours(ticket, category)
    text = (
        f"已受理，工单号 {ticket.id}。\n"
        f"由{ticket.department}负责，{_hours(respond)}内给您回应，{_hours(resolve)}内办理。"
        "每一步进展我都会告诉您。"
    )
    if ticket.severity == "urgent":
        text = f"{category.advice}\n{text}\n这件事已标为紧急。"
    return text


def place_text(spot: Spot) -> str:
    """Return the place as shown in the summary."""
    origin = {"shared": "（您发的位置）", "photo": "（照片里的位置）"}.get(spot.source, "")
    if spot.latitude is None or spot.longitude is None:
        return f"{spot.address}（按您说的记）"
    name = spot.address.removeprefix(spot.district or "").removeprefix(spot.street or "")
    link = map_link(spot.latitude, spot.longitude, name or spot.address)
    return f"{spot.address}{origin}" + (f"\n地图：{link}" if link else "")


def _ask_words(draft: Draft) -> tuple[str, Buttons]:
    if draft.word_tries:
        return "请具体说说看到、闻到或听到了什么，比如“楼下餐馆油烟往我家窗户里灌”。", _CANCEL
    return "请说说是什么问题？有照片也一起发来，处理起来更快。", _CANCEL


def _ask_place(draft: Draft) -> tuple[str, Buttons]:
    if draft.photo_place == "asked" and len(draft.place_options) == 2:
        return _ask_which_holds(*draft.place_options)
    if draft.place_options:
        buttons = [
            button(spot.address, "choose_place", place=str(number))
            for number, spot in enumerate(draft.place_options)
        ]
        return "您说的是下面哪个地方？都不是的话，请再说详细一点，或者发个定位。", buttons
    if draft.place_tries:
        return "请说清楚是哪个区、哪条路、几号或什么小区，也可以直接发个定位。", _CANCEL
    photo = "" if draft.photos else "有照片也可以一起发。"
    return f"在什么地方？发个定位，或者说路名、小区、附近有什么都行。{photo}", _CANCEL


def _ask_which_holds(photo: Spot, named: Spot) -> tuple[str, Buttons]:
    shared = named.source == "shared"
    told = "您发的定位在" if shared else "您说的是"
    return f"照片是在{photo.address}拍的，{told}{named.address}，以哪个为准？", [
        button("照片的位置", "choose_place", place="0"),
        button("我发的定位" if shared else "我说的地点", "choose_place", place="1"),
        button("都不是，重新说", "change_place"),
    ]


def _ask_confirmation(draft: Draft, categories: Categories) -> tuple[str, Buttons]:
    assert draft.category is not None
    assert draft.place is not None
    if "choose_category" in draft.notes:
        return "请选一个类别：", _category_choices(draft, categories, confirmed=False)
    if "leave_phone" in draft.notes:
        return "请发个手机号，称呼也可以一起说，比如“我姓王，电话138…”。", [
            button("不留了", "change_contact", contact="none")
        ]
    if "what_is_wrong" in draft.notes:
        return "哪里不对？直接告诉我改成什么也行。", [
            button("改地点", "change_place"),
            button("改类别", "change_category"),
            button("不报了", "cancel"),
        ]
    summary = f"请您核对：\n{_summary(draft, categories[draft.category])}"
    if draft.problems:
        return f"{summary}\n{_offer(len(draft.problems.parts))}", [
            button("分开报", "choose_split", split="yes"),
            button("合成一件", "choose_split", split="no"),
            button("改地点", "change_place"),
            button("取消", "cancel"),
        ]
    if draft.category_options and not draft.category_chosen:
        buttons = _category_choices(draft, categories, confirmed=True)
        buttons += [button("改地点", "change_place"), button("取消", "cancel")]
        return f"{summary}\n类别我拿不太准，请选一个，选好就提交。", buttons
    return f"{summary}\n没问题就确认提交。", [
        button("确认提交", "affirm"),
        button("改地点", "change_place"),
        button("改类别", "change_category"),
        _contact_button(draft),
        button("取消", "cancel"),
    ]


def _summary(draft: Draft, category: Category) -> str:
    """Say what will be filed, one fact a line."""
    assert draft.place is not None
    lines = [
        f"问题：{draft.description}",
        f"类别：{category.name}",
        f"地点：{place_text(draft.place)}",
    ]
    if draft.occurred:
        origin = "（照片拍摄时间）" if draft.occurred.source == "photo" else ""
        lines.append(f"时间：{draft.occurred.shown}{origin}")
    lines.append(f"照片：{len(draft.photos)}张" if draft.photos else "照片：没有")
    if draft.videos:
        lines.append(f"视频：{len(draft.videos)}段")
    lines.append(f"联系方式：{masked(draft.contact) if draft.contact else '匿名'}")
    return "\n".join(lines)


def _offer(count: int) -> str:
    number = {2: "两", 3: "三"}[count]
    return f"听起来是{number}件事，分开报处理得更快。合成一件的话，点一下就提交。"


def _contact_button(draft: Draft) -> dict[str, str]:
    if draft.contact:
        return button("不留电话", "change_contact", contact="none")
    return button("留个电话", "change_contact")


def _media_text(draft: Draft) -> str:
    parts = [f"{len(draft.photos)}张照片"] if draft.photos else []
    parts += [f"{len(draft.videos)}段视频"] if draft.videos else []
    return "、".join(parts)


def _category_choices(draft: Draft, categories: Categories, *, confirmed: bool) -> Buttons:
    codes = list(dict.fromkeys([draft.category or "", *draft.category_options]))
    if not confirmed:
        codes = list(dict.fromkeys([*codes, *categories.codes]))
    chosen = {"confirmed": "yes"} if confirmed else {}
    return [
        button(categories[code].name, "choose_category", category=code, **chosen)
        for code in codes
        if code in categories
    ]


def _hours(hours: int) -> str:
    return f"{hours}小时" if hours < 48 or hours % 24 else f"{hours // 24}天"


_CANCEL: Buttons = [button("取消", "cancel")]
