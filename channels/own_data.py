"""“导出我的资料”: a link to everything the house knows of who asks.

The request is recognised by its words alone, before any model reads the message: a right of the
person must not hang on a confidence.
"""

from __future__ import annotations

import re
from typing import Any

from base.settings import Settings
from store.database import unit_of_work
from store.models import utc_now
from store.own_data import LINK_LIVES, new_link

INTENT = "export_my_data"

_ACT = (
    "导出",
    "下载",
    "拷贝",
    "复制",
    "打包",
    "匯出",
    "導出",
    "下載",
    "複製",
    "我要一份",
    "导一份",
)
_OBJECT = ("资料", "信息", "数据", "档案", "資料", "資訊", "數據")
_OWN = ("我的", "关于我的", "个人", "個人")
_ASKING = ("请", "请你", "请您", "麻烦", "麻烦你", "麻烦您", "帮我", "给我", "申请", "谢谢", "怎么")
_WISHING = (
    "我要",
    "我想",
    "我想要",
    "我要求",
    "能",
    "能不能",
    "可以",
    "可不可以",
    "吗",
    "么",
    "吧",
    "行",
)
_BETWEEN = ("把", "将", "你们存的", "你們存的", "你们保存的", "存的", "全部", "所有", "都", "的")
_ENDING = ("一份", "一下", "出来", "来", "下来")
_WORDS = (*_ACT, *_OBJECT, *_OWN, *_ASKING, *_WISHING, *_BETWEEN, *_ENDING)
_TOKEN = re.compile("|".join(sorted(_WORDS, key=len, reverse=True)))
_NOISE = re.compile(r"[\s，。！？,.!?~～、]+")
_LONGEST = 40


def asks_for_copy(text: str) -> bool:
    """Tell whether a message asks for a copy of one's own data, and for nothing else.

    It names an act, the data and whose they are, and every other word is mere politeness.
    """
    if len(text) > _LONGEST:
        return False
    words = _NOISE.sub("", text)
    if _TOKEN.sub("", words):
        return False
    tokens = set(_TOKEN.findall(words))
    return not any(tokens.isdisjoint(kind) for kind in (_ACT, _OBJECT, _OWN))


def link_replies(settings: Settings, citizen: str) -> list[dict[str, Any]]:
    """Return the answer with a link that opens once."""
    with unit_of_work() as session:
        token = new_link(session, citizen, utc_now())
    minutes = int(LINK_LIVES.total_seconds()) // 60
    address = f"{settings.public_url.rstrip('/')}/my-data/{token}"
    return [
        {
            "text": f"您的资料可以从这里下载：{address}\n"
            f"链接{minutes}分钟内有效，只能下载一次，请不要转发给别人。"
            "里面有我们保存的您的全部资料，一份给人看，一份给电脑读。"
            "要删除，就说“删除我的资料”。",
            "speech": f"下载链接已经发给您，{minutes}分钟内有效，只能用一次，请不要转发给别人。",
        }
    ]
