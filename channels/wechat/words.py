"""What the account says by itself, and what its menu means to the assistant."""

from __future__ import annotations

from typing import Any

WELCOME = (
    "您好，欢迎关注。我可以帮您三件事：\n"
    "1. 问办事：直接打字问，比如“身份证丢了怎么补”；\n"
    "2. 反映问题：发照片、位置，说说是什么事；\n"
    "3. 找政策：告诉我您或企业的情况，看看能享受什么。\n"
    "也可以点下面的菜单，或者直接发语音。随时可以说“转人工”。"
)
NOT_UNDERSTOOD = "这种消息我看不懂，请打字，或者发照片、语音、位置。"

MEANINGS = {
    "service": "我想问怎么办事",
    "report": "我要反映身边的问题",
    "tickets": "/check_ticket",
    "policy": "我想看看能享受哪些政策",
    "help": "/help",
    "person": "/ask_human",
    "cancel": "/cancel",
}
"""Keys of the menu as the assistant hears them: words of the web page's buttons, or a payload."""


def menu() -> dict[str, Any]:
    """Return the menu (“自定义菜单创建接口”): three entries, at most five below each."""
    return {
        "button": [
            _entry("办事咨询", "service"),
            {
                "name": "随手拍",
                "sub_button": [_entry("我要反映问题", "report"), _entry("我的工单", "tickets")],
            },
            {
                "name": "更多",
                "sub_button": [
                    _entry("找政策", "policy"),
                    _entry("我能做什么", "help"),
                    _entry("转人工", "person"),
                    _entry("不办了", "cancel"),
                ],
            },
        ]
    }


def _entry(name: str, key: str) -> dict[str, str]:
    return {"type": "click", "name": name, "key": key}
