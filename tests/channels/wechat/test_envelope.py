"""Signatures, encryption, and XML that means harm."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from base.errors import ConfigurationError, InputError
from channels.wechat.channel import build
from channels.wechat.envelope import FRESH_SECONDS, Envelope
from channels.wechat.pushes import read_push
from tests.channels.wechat.conftest import Account
from tests.channels.wechat.official import AES_KEY, APP_ID, TOKEN, Servers, sign

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<xml><Content>&b;</Content></xml>"
)


def test_the_server_is_verified(account: Account) -> None:
    stamp = str(int(time.time()))
    query = {"timestamp": stamp, "nonce": "n", "signature": sign(stamp, "n"), "echostr": "5837"}
    address = f"{account.url}/webhooks/wechat"
    assert httpx.get(address, params=query).text == "5837"
    assert httpx.get(address, params={**query, "signature": "0" * 40}).status_code == 401
    assert httpx.get(address).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"signature": "0" * 40},
        {"timestamp": str(int(time.time()) - FRESH_SECONDS - 60)},
        {"timestamp": "soon"},
        {"signature": sign("1", "n", "another token")},
    ],
)
def test_what_the_platform_did_not_sign_is_not_heard(account: Account, query: Any) -> None:
    xml = account.servers.message(account.citizen(), "text", Content="假的")
    assert account.servers.push(xml, **query).status_code == 401
    assert account.rasa.heard == []


def test_an_old_signature_is_refused_though_it_is_right(account: Account) -> None:
    stamp = str(int(time.time()) - FRESH_SECONDS - 60)
    xml = account.servers.message(account.citizen(), "text", Content="旧的")
    query = {"timestamp": stamp, "nonce": "n", "signature": sign(stamp, "n")}
    assert account.servers.push(xml, **query).status_code == 401


def test_one_signature_is_good_for_one_message() -> None:
    envelope, stamp = Envelope(APP_ID, TOKEN, ""), str(int(time.time()))
    query = {"timestamp": stamp, "nonce": "n", "signature": sign(stamp, "n")}
    for _ in range(2):  # the platform's own retry
        assert envelope.open(query, b"<xml/>") == "<xml/>"
    with pytest.raises(InputError, match="signature_invalid"):
        envelope.open(query, b"<xml><Content/></xml>")


def test_with_a_key_only_encrypted_messages_are_heard(account: Account) -> None:
    if not account.settings.wechat_aes_key.get_secret_value():
        return
    plain = Servers(account.url)
    xml = plain.message(account.citizen(), "text", Content="没加密")
    assert plain.push(xml).status_code == 422
    other = Servers(account.url, "b" * 43)
    assert other.push(xml).status_code == 401
    stamp = {"msg_signature": "0" * 40}
    assert account.servers.push(xml, **stamp).status_code == 401
    assert account.rasa.heard == []


@pytest.mark.parametrize("xml", [BOMB, "", "<xml>", "no", "<xml/>", "<xml><MsgType/></xml>"])
def test_harmful_and_broken_xml_is_refused(account: Account, xml: str) -> None:
    assert account.servers.push(xml).status_code in (401, 422)


def test_a_body_without_end_is_refused(account: Account) -> None:
    xml = account.servers.message(account.citizen(), "text", Content="长" * 70_000)
    assert account.servers.push(xml).status_code == 413


@pytest.mark.parametrize(
    "change",
    [
        {"FromUserName": "two words"}, {"FromUserName": ""}, {"CreateTime": "soon"},
        {"MsgType": "image"}, {"MsgType": "location", "Location_X": "x", "Location_Y": "1"},
    ],
)  # fmt: skip
def test_fields_that_make_no_message_are_refused(change: dict[str, str]) -> None:
    servers = Servers("http://127.0.0.1")
    fields = {"Content": "x", "FromUserName": "o1", **change}
    kind = fields.pop("MsgType", "text")
    openid = fields.pop("FromUserName")
    xml = servers.message(openid, kind, **fields)
    with pytest.raises(InputError, match="xml_malformed"):
        read_push(xml)


def test_what_a_sticker_becomes_is_kept_as_such() -> None:
    servers = Servers("http://127.0.0.1")
    xml = servers.message("o1", "text", Content="【收到不支持的消息类型，暂无法显示】")
    assert read_push(xml).content == {"kind": "other", "type": "text"}
    assert read_push(servers.message("o1", "link", Title="t", Url="u")).content == {
        "kind": "other", "type": "link",
    }  # fmt: skip
    assert read_push(servers.event("o1", "TEMPLATESENDJOBFINISH", Status="success")).content is None


def test_settings_that_cannot_work_are_named(account: Account) -> None:
    settings = account.settings
    assert build(settings.model_copy(update={"wechat_app_id": ""})) is None
    empty = type(settings.wechat_token)("")
    with pytest.raises(ConfigurationError, match="SHIMIN_WECHAT_TOKEN"):
        build(settings.model_copy(update={"wechat_token": empty}))
    with pytest.raises(ConfigurationError, match="AES"):
        Envelope(APP_ID, TOKEN, AES_KEY[:-1])
