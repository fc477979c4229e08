"""What surrounds a message of the platform: signature, AES, XML; in and out.

“接入概述”: ``signature`` is SHA-1 of token, timestamp and nonce, sorted and joined.
“消息加解密说明”: in AES mode (安全模式) ``msg_signature`` covers the encrypted message too.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException
from wechatpy.replies import TextReply
from wechatpy.utils import WeChatSigner

from base.errors import ConfigurationError, InputError

FRESH_SECONDS = 300
"""How old, or ahead of our clock, a signature may be."""
MAX_REMEMBERED = 20_000
_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0, 2.2, cannot hold."""


class Envelope:
    """Opens pushes and seals replies.

    Args:
        app_id: the account's AppID.
        token: 令牌 of the server settings.
        aes_key: EncodingAESKey, 43 characters; empty for the plain mode.
        clock: seconds since 1970.

    Raises:
        ConfigurationError: the key has no form of one.
    """

    def __init__(
        self, app_id: str, token: str, aes_key: str, clock: Callable[[], float] = time.time
    ) -> None:
        if aes_key and not _AES_KEY.fullmatch(aes_key):
            raise ConfigurationError("SHIMIN_WECHAT_AES_KEY is not 43 letters and digits")
        self._token = token
        self._clock = clock
        self._crypto = WeChatCrypto(token, aes_key, app_id) if aes_key else None
        self._seen: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def check(self, query: Mapping[str, str]) -> None:
        """Check that the platform signed this request, a moment ago.

        Raises:
            InputError: ``signature_invalid``.
        """
        stamp = query.get("timestamp", "")
        given = query.get("signature", "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            raise _unsigned("no timestamp")
        if not self._is_signed(given, stamp, query.get("nonce", "")):
            raise _unsigned("wrong signature")
        if abs(self._clock() - int(stamp)) > FRESH_SECONDS:
            raise _unsigned("the signature is too old, or a clock is wrong")

    def open(self, query: Mapping[str, str], body: bytes) -> str:
        """Return the XML of a message.

        With an AES key only encrypted messages are taken, so that nobody can fall back to the
        plain form. The plain signature does not cover the body: one signature is good for one.

        Raises:
            InputError: ``signature_invalid``, ``xml_malformed``.
        """
        self.check(query)
        if self._crypto is None:
            self._once(query, body)
            return _harmless(body)
        encrypted = _child(_harmless(body), "Encrypt")
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not self._is_signed(query.get("msg_signature", ""), stamp, nonce, encrypted):
            raise _unsigned("wrong msg_signature")
        signature = query["msg_signature"]
        try:
            opened = self._crypto.decrypt_message({"Encrypt": encrypted}, signature, stamp, nonce)
        except (WeChatException, ValueError, IndexError, struct.error) as error:
            raise _unsigned(f"cannot be decrypted: {type(error).__name__}") from error
        return _harmless(opened.encode())

    def reply(self, openid: str, account: str, text: str) -> str:
        """Return the XML of a text message to a citizen, encrypted in AES mode."""
        content = _ILLEGAL.sub("", text).replace("]]>", "]]]]><![CDATA[>")
        now = int(self._clock())
        xml: str = TextReply(source=account, target=openid, content=content, time=now).render()
        if self._crypto is None:
            return xml
        sealed: str = self._crypto.encrypt_message(xml, secrets.token_hex(5), str(now))
        return sealed

    def _is_signed(self, given: str, *parts: str) -> bool:
        signer = WeChatSigner()
        signer.add_data(self._token, *parts)
        return hmac.compare_digest(signer.signature.encode(), given.encode())

    def _once(self, query: Mapping[str, str], body: bytes) -> None:
        """Refuse a signature that has come with another body."""
        name = (query["timestamp"], query.get("nonce", ""))
        digest = hashlib.sha256(body).digest()
        if self._seen.setdefault(name, digest) != digest:
            raise _unsigned("the signature was used for another message")
        while len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)


def _harmless(xml: bytes) -> str:
    """Return XML without a document type: no entities, no bombs, nothing from outside."""
    try:
        fromstring(xml, forbid_dtd=True)
        return xml.decode()
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise _malformed(type(error).__name__) from error


def _child(xml: str, name: str) -> str:
    found = fromstring(xml, forbid_dtd=True).findtext(name)
    if not found:
        raise _malformed(f"no {name}")
    return str(found)


def _malformed(detail: str) -> InputError:
    return InputError("xml_malformed", "内容不是有效的消息。", detail)


def _unsigned(detail: str) -> InputError:
    return InputError("signature_invalid", "签名不对。", detail)
