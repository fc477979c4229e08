"""The HTTP side of the platform: what we call, and what its error codes mean.

“全局返回码说明” of https://developers.weixin.qq.com/doc/offiaccount. The address of a call holds
the access token, so nothing of it, nor of an exception's text, is logged.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog

from base.errors import InputError, TooLargeError
from base.settings import Settings
from channels.seam.errors import (
    RefusedError,
    TryLaterError,
    UnwelcomeError,
    WindowClosedError,
)
from channels.wechat.access import AccessToken

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(10.0)
MAX_ANSWER_BYTES = 64 * 1024
STALE = frozenset({40001, 40014, 42001})
"""Access token wrong, malformed, expired."""
WINDOW_CLOSED = frozenset({45015, 45047})
"""48 hours without a word of the citizen; too many customer-service messages since his last."""
GONE = frozenset({43004, 43019})
"""He does not follow the account; he has blocked it."""
BUSY = frozenset({-1, 45011, 45109, 50005})
QUOTA = 45009
"""The day's calls are used up; they are counted anew at midnight."""
NO_MEDIA = frozenset({40007, 40004})
_OURS = frozenset({40013, 40125, 40164, 40243, 41004, 61024, 89503, 89506, 89507})
"""AppID, secret or the list of addresses (IP 白名单) is wrong: an operator must mend it."""
_VIDEO_HOSTS = (".qq.com", ".qpic.cn")
_GONE = "这个文件在微信上已经取不到了，请重新发一次。"


class Platform:
    """One official account's side of the platform.

    Args:
        settings: address, AppID and secret.
    """

    def __init__(self, settings: Settings) -> None:
        self._app_id = settings.wechat_app_id
        self._secret = settings.wechat_app_secret.get_secret_value()
        self._url = settings.wechat_api_url.rstrip("/")
        self._access = AccessToken(self._fetch_token)
        self._http = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def send_text(self, openid: str, text: str) -> None:
        """Send a customer-service message (“客服接口-发消息”).

        Raises:
            WindowClosedError: 45015, 45047.
            DeliveryError: anything else; see :func:`_raise`.
        """
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        self._call("/cgi-bin/message/custom/send", body)

    def notify(self, openid: str, template_id: str, data: dict[str, str], page: str) -> None:
        """Send a 订阅通知 (“发送订阅通知”, message/subscribe/bizsend).

        Raises:
            DeliveryError: it did not go out.
        """
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "data": {name: {"value": value} for name, value in data.items()},
        }
        if page:
            body["page"] = page
        self._call("/cgi-bin/message/subscribe/bizsend", body)

    def create_menu(self, menu: dict[str, Any]) -> None:
        """Replace the menu of the account (“自定义菜单创建接口”).

        Raises:
            DeliveryError: it was not taken.
        """
        self._call("/cgi-bin/menu/create", menu)

    def fetch(self, media_id: str, limit: int) -> bytes:
        """Return a file a citizen sent (“获取临时素材”), which is kept for three days.

        Raises:
            TooLargeError: ``file_too_large``: over ``limit`` bytes.
            InputError: ``file_gone``.
            DeliveryError: not to be had now.
        """
        for last in (False, True):
            token = self._access.get()
            query = {"access_token": token, "media_id": media_id}
            kind, data = self._download(f"{self._url}/cgi-bin/media/get", query, limit)
            if not kind.startswith(("application/json", "text/plain")):
                return data
            answer = _parsed(data)
            if "video_url" in answer:
                return self._download(self._video_url(answer["video_url"]), None, limit)[1]
            code = _code(answer)
            if code in NO_MEDIA:
                raise InputError("file_gone", _GONE, f"errcode {code}")
            if code in STALE and not last:
                self._access.refuse(token)
                continue
            _raise(code)
        raise TryLaterError("no file and no error")

    def _call(self, path: str, body: dict[str, Any]) -> None:
        """Post a call; with a stale token once more with a new one."""
        code = 0
        for _ in range(2):
            token = self._access.get()
            code = _code(self._post(path, {"access_token": token}, body))
            if code not in STALE:
                break
            self._access.refuse(token)
        _raise(code)

    def _fetch_token(self, force: bool) -> tuple[str, float]:
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._secret,
            "force_refresh": force,
        }
        answer = self._post("/cgi-bin/stable_token", {}, body)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if isinstance(token, str) and token and isinstance(seconds, int | float):
            return token, float(seconds)
        code = _code(answer)
        log.error("wechat_no_token", errcode=code)
        raise TryLaterError(f"no access token: errcode {code}", 60.0, everyone=True)

    def _post(self, path: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            with self._http.stream(
                "POST", self._url + path, params=query, content=content, headers=headers
            ) as response:
                return _parsed(_read(response, MAX_ANSWER_BYTES))
        except httpx.HTTPError as error:
            raise TryLaterError(type(error).__name__) from None

    def _download(self, url: str, query: dict[str, str] | None, limit: int) -> tuple[str, bytes]:
        """Return content type and bytes."""
        try:
            with self._http.stream("GET", url, params=query) as response:
                kind = response.headers.get("Content-Type", "").lower()
                return kind, _read(response, limit)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TryLaterError(type(error).__name__) from None

    def _video_url(self, url: Any) -> str:
        """Return where a video lies: at the platform, wherever it says."""
        parts = urlsplit(str(url))
        host = parts.hostname or ""
        ours = urlsplit(self._url)
        known = parts.scheme in ("http", "https") and host.endswith(_VIDEO_HOSTS)
        if not known and (parts.scheme, parts.netloc) != (ours.scheme, ours.netloc):
            raise InputError("file_gone", _GONE, "a video at a host that is not the platform's")
        return str(url)


def _read(response: httpx.Response, limit: int) -> bytes:
    """Return the body, at most ``limit`` bytes of it."""
    if response.status_code != 200:
        raise TryLaterError(f"HTTP {response.status_code}")
    declared = response.headers.get("Content-Length", "")
    data = bytearray()
    if not declared.isdigit() or int(declared) <= limit:
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > limit:
                break
        else:
            return bytes(data)
    most = limit // (1024 * 1024)
    message = f"文件太大了（最大{most}MB），请压缩后再发。"
    raise TooLargeError("file_too_large", message, f"{declared or 'over ' + str(limit)} bytes")


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise TryLaterError("answer is not JSON") from None
    if not isinstance(found, dict):
        raise TryLaterError("answer is no object")
    return found


def _code(answer: dict[str, Any]) -> int:
    code = answer.get("errcode", 0)
    if isinstance(code, bool) or not isinstance(code, int):
        raise TryLaterError("answer without a code")
    return code


def _raise(code: int) -> None:
    """Raise what an error code means for a message; 0 means that it is out."""
    if code == 0:
        return
    detail = f"errcode {code}"
    if code in WINDOW_CLOSED:
        raise WindowClosedError(detail)
    if code in GONE:
        raise UnwelcomeError(detail)
    if code in STALE or code in _OURS:
        log.error("wechat_account", errcode=code)
        raise TryLaterError(detail, 60.0, everyone=True)
    if code == QUOTA:
        log.error("wechat_quota", errcode=code)
        raise TryLaterError(detail, 1800.0, everyone=True)
    if code in BUSY:
        raise TryLaterError(detail)
    raise RefusedError(detail)
