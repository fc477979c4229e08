"""A report begun by voice, with the embedded recogniser and the whole product."""

from __future__ import annotations

import base64

import pytest

from tests.e2e.driver import INSIDE, Attachment, Citizen, Desk, Heard, jpeg, location, photo
from tests.stack import ROOT

pytestmark = pytest.mark.e2e


def spoken(name: str) -> Attachment:
    """A recording of tests/speech/clips."""
    data = (ROOT / "tests" / "speech" / "clips" / f"{name}.ogg").read_bytes()
    return {
        "type": "audio",
        "content_type": "audio/ogg",
        "data": base64.b64encode(data).decode(),
    }


def agreed(citizen: Citizen, heard: Heard) -> Heard:
    """The answer after what was heard is confirmed, if it was read back."""
    return citizen.press("对") if "您是想说" in heard.text else heard


def test_a_report_begun_by_voice_ends_with_photo_and_place(citizen: Citizen, desk: Desk) -> None:
    heard = citizen.say("", spoken("complaint"), photo(jpeg()), location())
    assert "冒烟" in heard.body["transcript"]
    shown = agreed(citizen, heard)
    assert "请您核对" in shown.text and "照片" in shown.text
    assert all(len(reply["speech"]) < len(reply["text"]) + 40 for reply in shown.replies)
    filed = citizen.say("", spoken("yes"))
    if not filed.cards("ticket"):
        filed = citizen.confirm()
    ticket = filed.card("ticket")["id"]
    assert "零" in filed.replies[0]["speech"] and ticket not in filed.replies[0]["speech"]
    request = desk.wait_request("冒烟")
    assert abs(request["lat"] - INSIDE[0]) < 0.001
    assert request["media_url"]


def test_an_enquiry_by_voice_is_answered_shortly(citizen: Citizen) -> None:
    answer = agreed(citizen, citizen.say("", spoken("enquiry")))
    assert answer.card("service")["id"] == "id_card_replace"
    assert len(answer.replies[0]["speech"]) < len(answer.replies[0]["text"])
