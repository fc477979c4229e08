"""Spoken messages: read back when in doubt, short to hear, kind when nothing was heard."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from base.settings import Settings
from channels.rasa import RasaClient
from channels.spoken import SpokenPolicy
from channels.spoken_words import asks_for_more, correction, says_no, says_yes, unsure_words
from speech.recogniser import Transcript, Word
from store.database import reading, unit_of_work
from store.models import utc_now
from store.spoken import KEPT, OPEN, Spoken, keep_spoken, spoken_state
from store.spoken_models import SpokenState
from tests.channels.conftest import (
    Gateway,
    Neighbour,
    fine,
    neighbouring,
    refusal,
    replying,
    running_gateway,
)
from tests.channels.photos import encoded as picture
from tests.channels.photos import scene
from tests.isolated import isolated
from tests.speech.recordings import clip, encoded, tone, white_noise
from tests.speech.test_engines import AudioServer, answer, audio_server
from tests.stack import free_port

HUMAN = "/ask_human"
GUARD = {"X-Shimin-Web": "1"}


@dataclass
class Talk:
    """A conversation by voice over the Chat API."""

    gateway: Gateway
    name: str

    def say(self, text: str = "", *attachments: dict[str, Any]) -> dict[str, Any]:
        body = {"conversation_id": self.name, "channel": "api", "text": text}
        with self.gateway.api() as http:
            http.timeout = 120
            response = http.post(
                "/api/v1/messages", json={**body, "attachments": list(attachments)}
            )
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def speak(self, transcript: str, *attachments: dict[str, Any]) -> dict[str, Any]:
        """Speak through a platform that writes down what was said."""
        return self.say("", {**audio(b"x"), "transcript": transcript}, *attachments)

    @property
    def sent(self) -> list[str]:
        """What the assistant was told."""
        return [b["message"] for b in self.gateway.rasa.heard if b and "sender" in b]


def audio(data: bytes, kind: str = "ogg") -> dict[str, Any]:
    encoded_data = base64.b64encode(data).decode()
    return {"type": "audio", "content_type": f"audio/{kind}", "data": encoded_data}


def texts(reply: dict[str, Any]) -> str:
    return "\n".join(r["text"] for r in reply["replies"])


def payloads(reply: dict[str, Any]) -> list[str]:
    return [button["payload"] for r in reply["replies"] for button in r["buttons"]]


def understood(intent: str, confidence: float = 0.97) -> dict[str, Any]:
    return {"intent": {"name": intent, "confidence": confidence}}


@pytest.fixture
def talk(gateway: Gateway, request: pytest.FixtureRequest) -> Talk:
    return Talk(gateway, f"c-{request.node.name[:80]}".replace("[", "-").replace("]", ""))


# --- what is sure goes on ---------------------------------------------------------------


def test_spoken_words_go_to_the_assistant(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "要带身份证。"}, **understood("ask_service"))
    heard = talk.speak("社保卡丢了怎么办")
    assert heard["transcript"] == "社保卡丢了怎么办"
    assert heard["understanding"]["intent"] == "ask_service"
    assert texts(heard) == "要带身份证。"
    assert payloads(heard) == [HUMAN]
    assert talk.sent == ["社保卡丢了怎么办"]


def test_typed_words_have_no_transcript_and_no_added_button(talk: Talk) -> None:
    typed = talk.say("您好")
    assert typed["transcript"] is None
    assert payloads(typed) == []


def test_danger_is_never_read_back(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "快打119！"}, **understood("emergency", 0.4))
    assert texts(talk.speak("着火了着火了")) == "快打119！"


def test_voice_photo_and_place_are_one_report(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "请您核对。"}, **understood("report_pollution"))
    photo = {
        "type": "photo",
        "content_type": "image/jpeg",
        "data": base64.b64encode(picture(scene(640, 480))).decode(),
    }
    place = {"type": "location", "latitude": 30.27, "longitude": 120.15}
    reply = talk.speak("楼下烧烤摊冒烟", photo, place)
    assert reply["transcript"] == "楼下烧烤摊冒烟"
    sent = next(b for b in talk.gateway.rasa.heard if "sender" in b)
    assert sent["message"] == sent["metadata"]["text"] == "楼下烧烤摊冒烟"
    assert len(sent["metadata"]["photos"]) == 1
    assert sent["metadata"]["locations"][0]["latitude"] == 30.27


# --- what is doubtful is read back ------------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "confidence"),
    [("nlu_fallback", 0.3), ("ask_service", 0.4), ("forget_me", 0.99), ("cancel", 0.99)],
)
def test_doubt_is_read_back_before_anything_is_done(
    talk: Talk, intent: str, confidence: float
) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood(intent, confidence))
    asked = talk.speak("把我的资料都删掉吧")
    assert texts(asked) == "您是想说“把我的资料都删掉吧”吗？"
    assert payloads(asked) == ["对", "不对", HUMAN]
    assert asked["understanding"]["intent"] == intent
    assert talk.sent == []
    done = talk.speak("对，没错")
    assert talk.sent == ["把我的资料都删掉吧"]
    assert texts(done) == "好的。"


def test_a_button_confirms_as_well(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood("nlu_fallback", 0.3))
    talk.speak("那个啥")
    assert texts(talk.say("对")) == "好的。"
    assert talk.sent == ["那个啥"]


def test_a_no_asks_for_the_words_again_and_a_second_offers_other_ways(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood("nlu_fallback", 0.3))
    talk.speak("那个啥")
    first = talk.speak("不对")
    assert "再说一遍" in texts(first)
    talk.speak("那个啥呀")
    second = talk.speak("不是的")
    assert "打字" in texts(second)
    assert HUMAN in payloads(second)
    assert talk.sent == []


def test_a_correction_is_taken_at_its_word(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood("nlu_fallback", 0.3))
    talk.speak("居民证怎么办")
    asked = talk.speak("不是，我是说居住证怎么办")
    assert texts(asked) == "您是想说“居住证怎么办”吗？"
    assert "居住证怎么办" in texts(talk.speak("再说一遍"))
    talk.speak("是的")
    assert talk.sent == ["居住证怎么办"]


def test_another_message_leaves_the_question_behind(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood("nlu_fallback", 0.3))
    talk.speak("那个啥")
    talk.say("身份证怎么补办")
    talk.say("对")
    assert talk.sent == ["身份证怎么补办", "对"]


def test_a_photo_between_does_not_lose_the_question(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood("nlu_fallback", 0.3))
    talk.speak("楼下那个啥")
    talk.say("", {"type": "location", "latitude": 30.27, "longitude": 120.15})
    talk.say("对")
    assert talk.sent == ["/attach", "楼下那个啥"]


def test_a_doubtful_report_keeps_its_photo_and_place(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "位置收到了。"}, **understood("inform", 0.3))
    place = {"type": "location", "latitude": 30.27, "longitude": 120.15}
    asked = talk.speak("楼下冒烟", place)
    assert texts(asked) == "位置收到了。\n您是想说“楼下冒烟”吗？"
    assert talk.sent == ["/attach"]
    talk.speak("对")
    assert talk.sent == ["/attach", "楼下冒烟"]


def test_a_plain_yes_is_not_read_back(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "已受理。"}, **understood("affirm"))
    assert texts(talk.speak("确认提交")) == "已受理。"
    assert talk.sent == ["确认提交"]


def test_an_open_question_survives_a_restart(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "好的。"}, **understood("nlu_fallback", 0.3))
    talk.speak("那个啥")
    settings = talk.gateway.settings
    again = SpokenPolicy(settings, RasaClient(settings))
    taken = again.take(f"api:{talk.name}", "对", None)
    assert (taken.text, taken.said) == ("那个啥", ())


def test_what_is_open_is_sealed_and_forgotten(gateway: Gateway) -> None:
    now = utc_now()
    with unit_of_work() as session:
        keep_spoken(session, "api:old", Spoken(heard="甲"), now - KEPT * 2)
        keep_spoken(session, "api:late", Spoken(heard="乙", slow=True), now - OPEN * 2)
    with unit_of_work() as session:
        row = session.get_one(SpokenState, "api:late")
        assert "乙" not in repr(row.heard)
        assert "乙".encode() not in row.heard.token()
        assert spoken_state(session, "api:late", now) == Spoken(slow=True)
        keep_spoken(session, "api:new", Spoken(failures=1), now)
    with reading() as session:
        assert session.get(SpokenState, "api:old") is None


# --- how it is read aloud ---------------------------------------------------------------


def test_two_sentences_a_turn_and_the_rest_on_demand(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying(
        {"text": "一。二。三。四。五。"}, **understood("ask_service")
    )
    heard = talk.speak("怎么办")
    assert heard["replies"][0]["speech"] == "一。二。还要听吗？要听请说“继续”。"
    assert texts(heard) == "一。二。三。四。五。"
    assert payloads(heard) == ["继续", HUMAN]
    more = talk.say("继续")
    assert more["replies"][0]["speech"].startswith("三。四。还要听吗")
    last = talk.speak("接着说")
    assert last["replies"][0]["speech"] == "五。"
    assert len(talk.sent) == 1


def test_slow_speech_is_one_sentence_a_turn(talk: Talk) -> None:
    talk.gateway.rasa.answer = replying({"text": "一。二。三。"}, **understood("ask_service"))
    assert "慢" in texts(talk.speak("请你说慢一点"))
    assert talk.speak("怎么办")["replies"][0]["speech"].startswith("一。还要听吗")
    assert "正常" in texts(talk.speak("说快一点"))
    assert talk.speak("怎么办")["replies"][0]["speech"].startswith("一。二。还要听吗")


# --- a recogniser that is unsure, and recordings without words --------------------------


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, AudioServer]]:
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    with audio_server() as server:
        changes = {
            "gateway_port": free_port(),
            "rasa_port": rasa.port,
            "actions_port": actions.port,
            "dispatch_url": f"http://127.0.0.1:{desk.port}",
            "speech_recogniser": "endpoint",
            "speech_synthesiser": "endpoint",
            "speech_url": server.url,
            "max_audio_seconds": 10,
            "max_audio_bytes": 500_000,
        }
        with (
            isolated(tmp_path_factory.mktemp("ears"), **changes) as settings,
            neighbouring(rasa),
            neighbouring(actions),
            neighbouring(desk),
            running_gateway(settings, rasa, actions, desk) as gateway,
        ):
            yield gateway, server


@pytest.fixture
def listener(ears: tuple[Gateway, AudioServer], request: pytest.FixtureRequest) -> Talk:
    gateway, server = ears
    server.status = 200
    gateway.rasa.answer = replying({"text": "好的。"}, **understood("ask_service"))
    gateway.rasa.heard.clear()
    name = request.node.name[:80].replace("[", "-").replace("]", "")
    return Talk(gateway, f"e-{name}")


VOICE = encoded(tone(1.5), "ogg")


def test_what_was_hardly_heard_is_read_back_with_its_doubts(
    listener: Talk, ears: tuple[Gateway, AudioServer]
) -> None:
    words = [{"word": w, "probability": p} for w, p in (("我要", 0.9), ("办", 0.2), ("卡", 0.3))]
    ears[1].body = answer("我要办卡", segments=[{"avg_logprob": -0.7}], words=words)
    asked = listener.say("", audio(VOICE))
    assert texts(asked) == "您是想说“我要办卡”吗？其中“办卡”没听准。"
    assert asked["transcript"] == "我要办卡"
    assert listener.sent == []


def test_a_faint_yes_files_nothing(listener: Talk, ears: tuple[Gateway, AudioServer]) -> None:
    ears[1].body = answer("对", segments=[{"avg_logprob": -1.5}])
    assert "没听清" in texts(listener.say("", audio(VOICE)))
    assert listener.sent == []


@pytest.mark.parametrize(
    ("data", "body", "word"),
    [
        (encoded(np.zeros(32_000, np.float32), "ogg"), answer("认证"), "没听到声音"),
        (VOICE, answer(""), "没听清"),
        (VOICE, answer("认证认证认证认证认证"), "没听清"),
        (VOICE, answer("Hello there", language="english"), "普通话"),
    ],
    ids=["silence", "noise", "invented", "english"],
)
def test_recordings_without_words_are_answered_kindly(
    listener: Talk, ears: tuple[Gateway, AudioServer], data: bytes, body: bytes, word: str
) -> None:
    ears[1].body = body
    first = listener.say("", audio(data))
    assert word in texts(first)
    assert first["transcript"] is None
    assert payloads(first) == [HUMAN]
    second = listener.say("", audio(data))
    assert "打字" in texts(second)
    assert "转人工" in texts(second)
    assert listener.sent == []


def test_a_silent_recording_does_not_cost_the_place_beside_it(
    listener: Talk, ears: tuple[Gateway, AudioServer]
) -> None:
    ears[1].body = answer("")
    place = {"type": "location", "latitude": 30.27, "longitude": 120.15}
    reply = listener.say("", audio(VOICE), place)
    assert listener.sent == ["/attach"]
    assert "没听清" in texts(reply)


@pytest.mark.parametrize(
    ("attachments", "expected"),
    [
        ([audio(b"no sound")], (415, "audio_not_audio")),
        ([audio(b"OggS" + bytes(50))], (422, "audio_broken")),
        ([audio(encoded(tone(11), "flac"))], (413, "audio_too_long")),
        ([audio(encoded(np.zeros(600 * 16_000, np.float32), "flac"))], (413, "audio_too_long")),
        ([audio(VOICE)] * 4, (422, "too_many_recordings")),
        ([audio(bytes(500_010))], (413, "audio_too_large")),
    ],
    ids=["no-audio", "broken", "long", "ten-minutes", "many", "large"],
)
def test_recordings_that_cannot_be_used(
    listener: Talk, attachments: list[dict[str, Any]], expected: tuple[int, str]
) -> None:
    body = {"conversation_id": listener.name, "channel": "api", "attachments": attachments}
    with listener.gateway.api() as http:
        assert refusal(http.post("/api/v1/messages", json=body)) == expected
    assert listener.sent == []


def test_a_recogniser_that_is_down_is_told(
    listener: Talk, ears: tuple[Gateway, AudioServer]
) -> None:
    ears[1].status = 500
    body = {"conversation_id": "e-down", "channel": "api", "attachments": [audio(VOICE)]}
    with listener.gateway.api() as http:
        assert refusal(http.post("/api/v1/messages", json=body)) == (503, "speech_busy")


def test_the_page_learns_what_can_be_heard_and_said(
    listener: Talk, ears: tuple[Gateway, AudioServer]
) -> None:
    gateway, server = ears
    server.body = clip("yes")
    with gateway.client(**GUARD) as page:
        speech = page.post("/web/session").json()["speech"]
        assert speech == {"recognise": True, "synthesise": True}
        assert refusal(page.post("/web/speech", json={"text": "您好。"})) == (503, "speech_busy")
        server.body = (
            b"RIFF" + (36).to_bytes(4, "little") + b"WAVEfmt " + bytes(20) + b"data" + bytes(4)
        )
        response = page.post("/web/speech", json={"text": "您好。"})
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "audio/wav"
        assert response.content == server.body
        assert refusal(page.post("/web/speech", json={"text": "长" * 301})) == (
            413,
            "text_too_long",
        )
        assert refusal(page.post("/web/speech", json={"text": " 。"})) == (422, "message_empty")
        answers = [page.post("/web/speech", json={"text": "您好。"}) for _ in range(20)]
        assert refusal(answers[-1]) == (429, "too_many_requests")
    with gateway.client() as stranger:
        assert refusal(stranger.post("/web/speech", json={"text": "好"})) == (
            403,
            "forbidden_origin",
        )


def test_without_engines_the_page_uses_its_own(gateway: Gateway) -> None:
    with gateway.client(**GUARD) as page:
        speech = page.post("/web/session").json()["speech"]
        assert speech == {"recognise": False, "synthesise": False}
        assert refusal(page.post("/web/speech", json={"text": "好"})) == (
            422,
            "speech_unavailable",
        )


# --- the embedded recogniser behind the gateway -----------------------------------------


def test_real_speech_through_the_gateway(tmp_path: Path) -> None:
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    rasa.answer = replying({"text": "要带户口簿。"}, **understood("ask_materials"))
    changes = {
        "gateway_port": free_port(),
        "rasa_port": rasa.port,
        "actions_port": actions.port,
        "speech_recogniser": "whisper",
        "speech_sure": 0.3,
    }
    with (
        isolated(tmp_path, **changes) as settings,
        neighbouring(rasa),
        neighbouring(actions),
        neighbouring(desk),
        running_gateway(settings, rasa, actions, desk) as gateway,
    ):
        talk = Talk(gateway, "real")
        heard = talk.say("", audio(clip("enquiry")))
        assert "身份证" in heard["transcript"]
        assert "要带什么材料" in heard["transcript"]
        assert texts(heard) == "要带户口簿。"
        noise = talk.say("", audio(encoded(white_noise(3), "ogg")))
        assert noise["transcript"] is None
        assert "没听清" in texts(noise)
        assert "普通话" in json.dumps(talk.say("", audio(clip("english"))), ensure_ascii=False)
        assert len(talk.sent) == 1


# --- a few words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["对", "对对对", "是的。", "嗯，对", "没错", "好的", "行", "对，没错", "确认", "是这样的"],
)
def test_a_yes(text: str) -> None:
    assert says_yes(text)
    assert not says_no(text)


@pytest.mark.parametrize(
    "text", ["不对", "不是", "不是的", "错了", "没有", "不", "你听错了", "不是这样的"]
)
def test_a_no(text: str) -> None:
    assert says_no(text)
    assert not says_yes(text)


@pytest.mark.parametrize(
    "text", ["对面太吵", "是不是要带身份证", "好多垃圾", "不想办了", "行不行啊", ""]
)
def test_neither(text: str) -> None:
    assert not says_yes(text)
    assert not says_no(text)
    assert not asks_for_more(text)


def test_corrections() -> None:
    assert correction("不是，我说的是居住证怎么办") == "居住证怎么办"
    assert correction("不对。居住证怎么办") == "居住证怎么办"
    assert correction("不是本地人能办吗") is None


def test_unsure_words_are_stretches() -> None:
    sure = [("我", 0.9), ("是", 0.2), ("保", 0.1), ("，", 0.1), ("卡", 0.9), ("丢", 0.3)]
    heard = Transcript("我是保，卡丢", "t", 1.0, words=tuple(Word(*pair) for pair in sure))
    assert unsure_words(heard) == ["是保", "丢"]


def test_settings_of_speech_are_bounded() -> None:
    with pytest.raises(ValueError, match="speech_sure"):
        Settings(_env_file=None, speech_sure=1.5)
