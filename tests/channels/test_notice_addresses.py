from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import InputError
from base.settings import Settings
from channels.notices.addresses import CONTACT_CHANNELS, check_address

CITY = Settings(environment="production")
HERE = Settings(environment="development")
GOOD = {
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx-4bc4-97a0",
    "dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef",
    "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/2fdac3e1-4d3d-4a3c",
    "email": "hr.dept+policy@example.com.cn",
}


@pytest.mark.parametrize("channel", CONTACT_CHANNELS)
def test_each_platforms_own_address_is_taken(channel: str) -> None:
    assert check_address(channel, GOOD[channel], CITY) == GOOD[channel]


@pytest.mark.parametrize(
    "address",
    [
        "http://oapi.dingtalk.com/robot/send?access_token=0123456789",
        "https://oapi.dingtalk.com.evil.example/robot/send?access_token=0123456789",
        "https://evil.example/robot/send?access_token=0123456789",
        "https://oapi.dingtalk.com@evil.example/robot/send?access_token=0123456789",
        "https://user:pw@oapi.dingtalk.com/robot/send?access_token=0123456789",
        "https://oapi.dingtalk.com:8443/robot/send?access_token=0123456789",
        "https://127.0.0.1/robot/send?access_token=0123456789",
        "https://169.254.169.254/robot/send?access_token=0123456789",
        "https://[::1]/robot/send?access_token=0123456789",
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789&to=x",
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789&access_token=0123456789",
        "https://oapi.dingtalk.com/robot/send",
        "https://oapi.dingtalk.com/robot/../admin?access_token=0123456789",
        "https://oapi.dingtalk.com/robot/send?access_token=a%0d%0aX: y",
        "https://oapi.dingtalk.com\\@evil.example/robot/send?access_token=0123456789",
        "https://oapi.dingtalk.com/robot/send?access_token=0123456789#x",
        "file:///etc/passwd",
        "https://[bad",
        "https://ｏapi.dingtalk.com/robot/send?access_token=0123456789",
        "https://oapi.dingtalk.com/robot/send?access_token=" + "a" * 600,
        GOOD["wecom"],
        "",
    ],
)
def test_a_robots_address_leads_to_its_platform_and_nowhere_else(address: str) -> None:
    with pytest.raises(InputError) as caught:
        check_address("dingtalk", address, CITY)
    assert caught.value.code == "address_invalid"
    assert address == "" or address not in str(caught.value)


def test_the_loopback_is_for_development_only() -> None:
    local = "http://127.0.0.1:9000/robot/send?access_token=0123456789"
    assert check_address("dingtalk", local, HERE) == local
    with pytest.raises(InputError):
        check_address("dingtalk", local, CITY)
    with pytest.raises(InputError):
        check_address("dingtalk", local.replace("127.0.0.1", "10.0.0.1"), HERE)


def test_a_city_may_name_its_own_host() -> None:
    own = Settings(environment="production", notice_webhook_hosts="im.city.example, x.example")
    address = "https://im.city.example/robot/send?access_token=0123456789"
    assert check_address("dingtalk", address, own) == address
    with pytest.raises(InputError):
        check_address("dingtalk", GOOD["dingtalk"], own)
    closed = Settings(environment="production", notice_webhook_hosts="")
    with pytest.raises(InputError):
        check_address("dingtalk", GOOD["dingtalk"], closed)


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "a b@example.com",
        "a@example.com\r\nBcc: x@example.com",
        "a@example.com\n",
        "Name <a@example.com>",
        "a@example.com,b@example.com",
        "a@@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a@-example.com",
        "a@example.com.",
        "张三@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 250 + ".com",
        '"a b"@example.com',
        "",
    ],
)
def test_only_a_plain_mail_address_is_taken(address: str) -> None:
    with pytest.raises(InputError):
        check_address("email", address, CITY)


@given(st.sampled_from(CONTACT_CHANNELS), st.text(max_size=80))
def test_any_text_is_refused_or_is_harmless(channel: str, address: str) -> None:
    try:
        taken = check_address(channel, address, CITY)
    except InputError:
        return
    assert taken.isascii()
    assert taken.isprintable()
    assert " " not in taken


def test_an_unknown_channel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="address_invalid"):
        check_address("sms", "13800138000", CITY)
