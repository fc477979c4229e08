"""Telegram (Bot API 9, https://core.telegram.org/bots/api) by python-telegram-bot."""

import os

os.environ.setdefault("PTB_TIMEDELTA", "true")
"""Spans are ``timedelta``: the library's own switch, and its future default."""
