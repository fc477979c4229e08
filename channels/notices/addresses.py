"""Where notices may be sent outside the chat, checked when registered and again when sent to.

A robot's address is a URL that somebody gave us: this side must not be made to call whatever it
names. So https only, one of the hosts of ``SHIMIN_NOTICE_WEBHOOK_HOSTS``, the standard port, no
user name, the path the platform documents, no redirects. A development installation also
accepts http on the loopback.
"""

from __future__ import annotations

import re
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

from base.errors import InputError
from base.settings import Settings

ContactChannel = Literal["email", "wecom", "dingtalk", "feishu"]
CONTACT_CHANNELS: tuple[ContactChannel, ...] = get_args(ContactChannel)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
LONGEST_URL = 500
LONGEST_MAIL = 254  # RFC 5321, 4.5.3.1.3 without the angle brackets

_MAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_ROBOTS: dict[str, tuple[str, str | None]] = {
    "wecom": (r"/cgi-bin/webhook/send", "key"),
    "dingtalk": (r"/robot/send", "access_token"),
    "feishu": (r"/open-apis/bot/v2/hook/[A-Za-z0-9-]{8,80}", None),
}
"""Path of each platform's robot, and the parameter that holds its key."""
_KEY = re.compile(r"[A-Za-z0-9_-]{8,200}")


def check_address(channel: str, address: str, settings: Settings) -> str:
    """Return ``address`` when notices may be sent there on ``channel``.

    Raises:
        InputError: ``address_invalid``; the message says what is wrong, not the address itself.
    """
    if channel not in CONTACT_CHANNELS:
        raise _invalid(f"渠道应为以下之一：{'、'.join(CONTACT_CHANNELS)}。")
    if channel == "email":
        local = address.partition("@")[0]
        if len(address) > LONGEST_MAIL or len(local) > 64 or not _MAIL.fullmatch(address):
            raise _invalid("邮箱地址不对。")
        return address
    _check_robot(channel, address, settings)
    return address


def _check_robot(channel: str, address: str, settings: Settings) -> None:
    if len(address) > LONGEST_URL or not address.isascii() or not address.isprintable():
        raise _invalid("机器人地址不对。")
    if any(char in address for char in " \\#"):
        raise _invalid("机器人地址不对。")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _invalid("机器人地址不对。") from error
    if parts.username is not None or parts.password is not None:
        raise _invalid("机器人地址里不能带用户名。")
    local = settings.environment == "development" and host in LOOPBACK
    if not local:
        if parts.scheme != "https":
            raise _invalid("机器人地址应以 https:// 开头。")
        allowed = {name.strip().lower() for name in settings.notice_webhook_hosts.split(",")}
        if host not in allowed - {""} or port not in (None, 443):
            raise _invalid("机器人地址不在允许的平台之内。")
    elif parts.scheme not in ("http", "https"):
        raise _invalid("机器人地址应以 https:// 开头。")
    path, parameter = _ROBOTS[channel]
    query = parse_qs(parts.query, keep_blank_values=True)
    wanted = {parameter} if parameter else set()
    keys = [value for values in query.values() for value in values]
    if not re.fullmatch(path, parts.path) or set(query) != wanted or len(keys) != len(wanted):
        raise _invalid("机器人地址与该平台的格式不符。")
    if not all(_KEY.fullmatch(key) for key in keys):
        raise _invalid("机器人地址里的密钥不对。")


def _invalid(message: str) -> InputError:
    return InputError("address_invalid", message, message)
