"""What the bot says by itself, and what its commands mean to the assistant."""

from __future__ import annotations

from telegram import BotCommand

COMMANDS = (
    BotCommand("start", "开始"),
    BotCommand("report", "反映身边的问题，可以发照片和位置"),
    BotCommand("policy", "看看能享受哪些政策"),
    BotCommand("help", "我能做什么"),
    BotCommand("cancel", "不办了，取消正在填的内容"),
)
MEANINGS = {
    "start": "你好",
    "report": "我要反映身边的问题",
    "policy": "我想看看能享受哪些政策",
    "help": "/help",
    "cancel": "/cancel",
}
"""A command as the assistant hears it: the words of the web page's own buttons, or a payload."""

DONE = "好的"
OLD_BUTTON = "这个按钮已经失效了，请直接打字告诉我。"
NOT_YOURS = "这是别人的按钮，您可以自己问我。"
TOO_BIG = "这个文件超过了20MB，Telegram 不让我下载。请压缩后再发，或者改发照片。"
NO_FILE = "这种文件我打不开，请发照片、视频、语音、位置，或者直接打字告诉我。"
NOT_UNDERSTOOD = "这种消息我看不懂，请打字，或者发照片、语音、位置。"
GONE = "这个文件在 Telegram 上已经取不到了，请重新发一次。"
