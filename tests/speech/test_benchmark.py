"""The benchmark of voice: what is said in it, over which lines, and how it is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.settings import get_settings
from benchmarks.voice import memory
from benchmarks.voice.figures import bare, errors, figures, table
from benchmarks.voice.lines import LINES, over_the_telephone, with_noise
from benchmarks.voice.memory import Memory
from benchmarks.voice.run import measure_real
from benchmarks.voice.utterances import JOBS, VOICES, chosen
from speech.audio import RATE, Sound
from speech.recogniser import Transcript, Unheard, Word
from tests.nlu.test_overlap import known_examples, normalised
from tests.speech.recordings import clip, tone, white_noise

SENTENCES = 66


def test_the_sentences_are_of_three_jobs_and_were_never_learnt() -> None:
    said = chosen("test", SENTENCES)
    texts = {utterance.text for utterance in said}
    assert len(texts) == SENTENCES
    assert {utterance.job for utterance in said} == set(JOBS)
    known = known_examples()
    assert not [text for text in texts if normalised(text) in known]
    assert not texts & {utterance.text for utterance in chosen("dev", 60)}


def test_every_sentence_is_said_by_a_woman_and_a_man() -> None:
    said = chosen("test", SENTENCES)
    voices: dict[str, list[str]] = {}
    for utterance in said:
        voices.setdefault(utterance.text, []).append(utterance.voice)
    assert all(sorted(pair) in [sorted(two) for two in VOICES] for pair in voices.values())
    assert len({utterance.key for utterance in said}) == len(said) == 2 * SENTENCES
    assert len({utterance.text for utterance in said[:SENTENCES]}) == SENTENCES
    assert {utterance.voice for utterance in said[:6]} == {v for pair in VOICES for v in pair}
    assert chosen("test", SENTENCES) == said


def test_a_telephone_carries_a_narrow_band_in_eight_bits() -> None:
    carried = over_the_telephone(Sound(white_noise(2)))
    power = np.abs(np.fft.rfft(carried.samples)) ** 2
    hertz = np.fft.rfftfreq(len(carried.samples), 1 / RATE)
    inside = power[(hertz > 300) & (hertz < 3400)].mean()
    assert power[hertz > 4300].mean() < inside / 1000
    assert power[hertz < 250].mean() < inside / 100
    voice = tone(1, 1013)  # no divisor of the rate: every level is met
    heard = over_the_telephone(Sound(voice)).samples[: len(voice)]
    error = float(np.mean((heard - voice)[RATE // 10 : -RATE // 10] ** 2))
    assert 30 < 10 * np.log10(float(np.mean(voice**2)) / error) < 45  # A-law gives about 38 dB


@pytest.mark.parametrize("decibels", [10, 5])
def test_noise_lies_as_far_under_the_voice_as_it_says(decibels: int) -> None:
    voice = tone(2)
    noisy = with_noise(Sound(voice), decibels, seed=1).samples
    ratio = np.mean(voice**2) / np.mean((noisy - voice) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(decibels, abs=0.1)
    assert np.array_equal(noisy, with_noise(Sound(voice), decibels, seed=1).samples)
    assert not np.array_equal(noisy, with_noise(Sound(voice), decibels, seed=2).samples)


def test_no_line_changes_the_length() -> None:
    sound = Sound(tone(1))
    for change in LINES.values():
        assert change(sound, 3).seconds == pytest.approx(sound.seconds, abs=0.001)


TRANSCRIPT = Transcript(
    "社保卡丢了",
    "test",
    1.5,
    0.9,
    words=(Word("社保卡", 0.8), Word("丢了", 1.0)),
    alternatives=("是保卡丢了",),
)


def test_a_run_that_was_broken_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT", tmp_path)
    settings = get_settings()
    nothing = Transcript("", "test", 2.0, unheard=Unheard.NOISE)
    first = Memory("test", settings)
    first.add("a", "clean", TRANSCRIPT)
    first.add("b", "noise_5db", nothing)
    (file,) = tmp_path.iterdir()
    with file.open("a", encoding="utf-8") as cut_off:
        cut_off.write('{"key": "c", "li')
    again = Memory("test", settings)
    assert again.get("a", "clean") == TRANSCRIPT
    assert again.get("b", "noise_5db") == nothing
    assert again.get("a", "telephone") is None
    again.add("c", "clean", TRANSCRIPT)
    assert Memory("test", settings).get("c", "clean") == TRANSCRIPT


def test_another_recogniser_does_not_remember(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "KEPT", tmp_path)
    settings = get_settings()
    Memory("test", settings).add("a", "clean", TRANSCRIPT)
    assert Memory("other", settings).get("a", "clean") is None
    elsewhere = settings.model_copy(update={"speech_url": "https://asr.example/v1"})
    assert Memory("test", elsewhere).get("a", "clean") is None


def test_numbers_and_marks_are_no_errors() -> None:
    assert bare("补助3000元，对吗？") == bare("补助三千元对吗")
    assert errors("社保卡丢了怎么办", "是保卡丢了怎么办？") == (1, 8)
    assert errors("社保卡", "") == (3, 3)


@given(st.text(alphabet="社保卡丢了，。", max_size=12), st.text(alphabet="社保卡丢了", max_size=12))
def test_errors_are_none_for_the_same_and_bounded(said: str, heard: str) -> None:
    assert errors(said, said)[0] == 0
    wrong, length = errors(said, heard)
    assert abs(length - len(bare(heard))) <= wrong <= max(length, len(bare(heard)))


def line(**changes: object) -> dict[str, object]:
    return {
        "said": "社保卡丢了",
        "raw": "是保卡丢了",
        "mended": "社保卡丢了",
        "unheard": None,
        "intent": "ask_service",
        "read": "ask_service",
        "read_of_text": "ask_service",
        "read_back": False,
        **changes,
    }


def test_the_figures_of_three_recordings() -> None:
    found = figures(
        [
            line(),
            line(read="greet"),
            line(raw="", mended="", read=None, unheard=Unheard.NOISE),
        ]
    )
    assert found == {
        "heard": 3,
        "cer_raw": round(7 / 15, 4),
        "cer": round(5 / 15, 4),
        "intents": round(1 / 3, 4),
        "intents_of_text": 1.0,
        "read_back": 0.0,
        "wrong_unasked": 1,
        "unheard": 1,
    }
    assert "| clean | 3 | 46.7 % | 33.3 % |" in table({"clean": found, "none": figures([])})
    assert figures([line(read="greet", read_back=True)])["wrong_unasked"] == 0


def test_a_folder_of_recordings_is_measured(tmp_path: Path) -> None:
    said = {
        "complaint": "楼下烧烤摊一到晚上就冒烟，熏得窗户都不敢开。",
        "policy": "我妈妈八十二岁了，有什么补贴可以领？",
    }
    for name in said:
        (tmp_path / f"{name}.ogg").write_bytes(clip(name))
    lines = [f"{name}.ogg\t{words}\n" for name, words in said.items()]
    (tmp_path / "transcripts.tsv").write_text("".join(lines), "utf-8")
    found = measure_real(tmp_path)
    assert (found["engine"], found["heard"]) == ("whisper-base", 2)
    assert 0 <= found["cer_raw"] < 0.3
    assert 0 <= found["cer"] < 0.3
    changed = [row for row in found["recordings"] if row["raw"] != row["mended"]]
    assert found["changed_by_lexicon"] == len(changed)
    assert [row["said"] for row in found["recordings"]] == list(said.values())
