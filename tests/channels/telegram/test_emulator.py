"""The bot by webhook, against telemelya: a Bot API that others wrote."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.channels.conftest import Gateway, Neighbour, neighbouring, replying, running_gateway
from tests.channels.photos import encoded, scene
from tests.channels.telegram.bot_api import TOKEN, message
from tests.channels.telegram.conftest import serving
from tests.channels.telegram.emulated import (
    CHAT,
    SECRET,
    Emulator,
    emulating,
    interpreter,
    post,
    signing,
)
from tests.isolated import isolated
from tests.stack import free_port
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def emulator(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Emulator, Gateway]]:
    python = interpreter()
    if python is None:
        pytest.skip("telemelya is not installed")
    rasa = Neighbour(free_port(), replying({"text": "您好"}))
    port = free_port()
    with emulating(python) as running, signing(port) as public, neighbouring(rasa):
        changes: dict[str, object] = {
            "telegram_token": TOKEN,
            "telegram_api_url": running.url,
            "telegram_mode": "webhook",
            "telegram_webhook_secret": SECRET,
            "public_url": public,
            "gateway_port": port,
            "rasa_port": rasa.port,
        }
        with (
            isolated(tmp_path_factory.mktemp("emulator"), **changes) as settings,
            running_gateway(settings, rasa, rasa, rasa) as gateway,
            serving(settings),
        ):
            wait_until(running.webhook, "the webhook", 60)
            yield running, gateway


def test_a_report_from_start_to_button(emulator: tuple[Emulator, Gateway]) -> None:
    running, gateway = emulator
    running.does(command="/start")
    assert running.says(1) == ["您好"]
    buttons = [{"title": "确认提交", "payload": "/affirm"}]
    gateway.rasa.answer = replying({"text": "请核对", "buttons": buttons})
    running.does(photo_file_id=running.upload(encoded(scene())), photo_caption="楼下垃圾成堆")
    assert running.says(2)[1] == "请核对"
    markup = running.responses()[1]["reply_markup"]
    gateway.rasa.answer = replying({"text": "已受理"})
    ((button,),) = markup["inline_keyboard"]
    shown = running.responses()[1]["message_id"]
    running.does(callback_data=button["callback_data"], callback_message_id=shown)
    assert running.says(3)[2] == "已受理"
    told = [body for body in gateway.rasa.heard if "sender" in body]
    assert [body["message"] for body in told] == ["你好", "楼下垃圾成堆", "/affirm"]
    assert len(told[1]["metadata"]["photos"]) == 1
    assert {"chat_id": CHAT, "action": "typing"}.items() <= (
        running.responses("sendChatAction")[0].items()
    )
    assert running.responses("answerCallbackQuery")


def test_places_and_voice_come_by_the_same_webhook(emulator: tuple[Emulator, Gateway]) -> None:
    running, gateway = emulator
    before = len(running.responses())
    gateway.rasa.answer = replying({"text": "在这里啊"})
    place = message(501, location={"latitude": 30.5, "longitude": 120.25})
    sound = running.upload(b"OggS" + bytes(100))
    voice = {"file_id": sound, "file_unique_id": "v", "duration": 3}
    port = gateway.settings.gateway_port
    for number, update in enumerate((place, message(502, voice=voice)), 1):
        body = httpx.Request("POST", "http://x", json={"update_id": number, "message": update})
        for _ in range(2):  # Telegram pushes again what it is not sure of
            assert post(port, body.content).status_code == 200
    said = running.says(before + 2)[before:]
    assert said[0] == "在这里啊"
    assert "语音" in said[1]
    assert len(said) == 2


def test_without_the_secret_nothing_is_stored(emulator: tuple[Emulator, Gateway]) -> None:
    _, gateway = emulator
    port = gateway.settings.gateway_port
    for secret in ("", SECRET + "x", SECRET[:-1]):
        assert post(port, b'{"update_id": 1}', secret).status_code == 401
    for body in (b"", b"{", b"[" * 100_000):
        assert post(port, body).status_code == 422
    for body in (b"[]", b'{"update_id": 1, "message": {}}', b'{"update_id": 1, "poll": {}}'):
        assert post(port, body).json() == {"ok": True}  # not to be pushed again
