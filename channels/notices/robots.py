"""Group robots of WeCom (企业微信), DingTalk (钉钉) and Feishu (飞书), as each documents them.

- WeCom, “消息推送配置说明”: the key is in the URL; ``errcode`` 0 means taken; 45009: too often.
- DingTalk, “自定义机器人安全设置” (加签): ``timestamp`` (ms) and ``sign`` in the query, the sign
  being Base64(HMAC-SHA256(secret, "timestamp\\nsecret")); ``errcode`` 0; 130101: too often.
- Feishu, “自定义机器人使用指南” (签名校验): ``timestamp`` (s) and ``sign`` in the body, the sign
  being Base64(HMAC-SHA256(key "timestamp\\nsecret", nothing)); ``code`` 0; 9499, 11232: too often.

None of them takes a key that would let it drop a repeated message, so a message that was taken
while we died before noting it comes twice; it bears its number so that people see it is the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import httpx

from channels.notices.errors import RefusedError, SendError

TIMEOUT = httpx.Timeout(10.0)
MAX_ANSWER_BYTES = 64 * 1024
LONGEST_BYTES = {"wecom": 4096, "dingtalk": 18_000, "feishu": 18_000}
"""Of the text, UTF-8. WeCom documents 4096 for markdown, the others about 20 kB for the request."""
TOO_OFTEN = frozenset({45009, 130101, 9499, 11232})
_RETRYABLE = frozenset({408, 425, 429})


def robot_client() -> httpx.Client:
    """Return a client for :class:`Robots`: no redirects, no proxy or key from outside."""
    return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)


def dingtalk_sign(secret: str, milliseconds: int) -> str:
    """Return DingTalk's signature, not yet escaped for the query."""
    message = f"{milliseconds}\n{secret}".encode()
    return _base64(hmac.new(secret.encode(), message, hashlib.sha256))


def feishu_sign(secret: str, seconds: int) -> str:
    """Return Feishu's signature."""
    return _base64(hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256))


class Robots:
    """Posts texts to robots whose addresses were checked (see :mod:`channels.notices.addresses`).

    Args:
        client: see :func:`robot_client`.
        clock: seconds since 1970 for the signatures.
    """

    def __init__(self, client: httpx.Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    def send(self, channel: str, url: str, secret: str | None, text: str) -> None:
        """Post ``text`` to the robot at ``url``, cut to what the platform takes.

        Raises:
            RefusedError: the robot does not exist any more, or refuses the message.
            SendError: no answer, or not now.
        """
        now = self._clock()
        body = _body(channel, shorten(text, LONGEST_BYTES[channel]))
        if secret and channel == "dingtalk":
            stamp = int(now * 1000)
            sign = quote_plus(dingtalk_sign(secret, stamp))
            url = f"{url}&timestamp={stamp}&sign={sign}"
        if secret and channel == "feishu":
            body = {"timestamp": str(int(now)), "sign": feishu_sign(secret, int(now)), **body}
        _check(*self._post(url, body))

    def _post(self, url: str, body: dict[str, Any]) -> tuple[int, bytes]:
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "identity"}
        answer = bytearray()
        try:
            with self._client.stream("POST", url, content=content, headers=headers) as response:
                for chunk in response.iter_raw():
                    answer += chunk
                    if len(answer) > MAX_ANSWER_BYTES:
                        break
                return response.status_code, bytes(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SendError(type(error).__name__, down=True) from error


def shorten(text: str, most: int) -> str:
    """Return ``text`` in at most ``most`` UTF-8 bytes; what is cut is marked, the end is kept.

    The last paragraph holds the way to unsubscribe.
    """
    if len(text.encode()) <= most:
        return text
    head, _, end = text.rpartition("\n\n")
    room = most - len(end.encode()) - len("……\n\n".encode())
    return f"{head.encode()[: max(0, room)].decode('utf-8', 'ignore')}……\n\n{end}"


def _body(channel: str, text: str) -> dict[str, Any]:
    if channel == "feishu":
        return {"msg_type": "text", "content": {"text": text}}
    if channel == "wecom":
        return {"msgtype": "markdown", "markdown": {"content": text}}
    return {"msgtype": "text", "text": {"content": text}}


def _check(status: int, answer: bytes) -> None:
    if status >= 500 or status in _RETRYABLE:
        raise SendError(f"HTTP {status}")
    if status != 200:
        raise RefusedError(f"HTTP {status}")
    try:
        found = json.loads(answer)
        code = found.get("errcode", found.get("code", found.get("StatusCode")))
    except (ValueError, AttributeError, RecursionError) as error:
        raise SendError("answer is not JSON") from error
    if code in TOO_OFTEN:
        raise SendError(f"code {code}: too often")
    if isinstance(code, bool) or not isinstance(code, int):
        raise SendError("answer without a code")
    if code != 0:
        raise RefusedError(f"code {code}")


def _base64(digest: hmac.HMAC) -> str:
    return base64.b64encode(digest.digest()).decode()
