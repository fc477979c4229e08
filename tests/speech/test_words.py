"""What becomes of a transcript: how it is written, what is mended, what nobody said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base.settings import ROOT
from speech.doubt import is_invented
from speech.lexicon import Lexicon, lookup_words
from speech.recogniser import Transcript, Word
from speech.writing import written


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    places = ["文昌路", "竹溪纸厂", "云州大道"]
    return Lexicon([*lookup_words(ROOT / "nlu_data" / "lookups.yml"), *places])


def unsure(text: str, confidence: float = 0.5) -> Transcript:
    return Transcript(text, "test", 1.0, 0.8, words=tuple(Word(char, confidence) for char in text))


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("是保卡丢了怎么补办", "社保卡丢了怎么补办"),
        ("身份正丢了要带什么", "身份证丢了要带什么"),
        ("住房公积击提取要什么材料", "住房公积金提取要什么材料"),
        ("文长路三号有人烧垃圾", "文昌路三号有人烧垃圾"),
    ],
)
def test_misheard_words_of_the_domain_are_mended(lexicon: Lexicon, heard: str, said: str) -> None:
    mended = lexicon.repaired(unsure(heard))
    assert mended.text == said
    assert mended.alternatives[0] == heard
    assert "".join(word.text for word in mended.words) == said


@pytest.mark.parametrize(
    "text",
    [
        "即将加入家族的自残保持一致",
        "欢迎大家来体验达摩院推出的运营识别模型",
        "每一天都要快乐喔",
        "大学生利用漏洞免费吃肯德基获行",
    ],
)
def test_other_speech_stays_as_it_was_heard(lexicon: Lexicon, text: str) -> None:
    assert lexicon.repaired(unsure(text)).text == text


@pytest.mark.parametrize(
    "text",
    [
        "楼下烧烤摊冒烟",  # 烧烤烟 is a word of the lexicon
        "这人讲气人得很",  # 机器人
        "司机半道把我撂下了",  # 半导体
    ],
)
def test_a_syllable_beside_a_word_is_not_changed_for_one_that_only_rhymes(
    lexicon: Lexicon, text: str
) -> None:
    assert lexicon.repaired(unsure(text)).text == text


def test_a_near_sound_is_mended_only_where_the_recogniser_was_unsure(lexicon: Lexicon) -> None:
    assert lexicon.repaired(unsure("是保卡丢了", 0.99)).text == "是保卡丢了"
    assert lexicon.repaired(Transcript("是保卡丢了", "test", 1.0)).text == "是保卡丢了"


@settings(deadline=None)
@given(text=st.text(alphabet="是社保卡身份证文长路丢了在哪里，。ab1", max_size=20))
def test_mending_keeps_every_place(lexicon: Lexicon, text: str) -> None:
    mended = lexicon.repaired(unsure(text))
    assert len(mended.text) == len(text)
    assert [c for c in mended.text if not c.isalpha()] == [c for c in text if not c.isalpha()]


@pytest.mark.parametrize(
    "text",
    [
        "认证认证认证认证认证",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "字幕by索兰娅",
        "谢谢观看",
        "感谢您的观看。",
        "字幕由Amara.org社区提供",
        "啊啊啊啊啊啊啊啊",
        "我要办我要办我要办我要办",
    ],
)
def test_what_nobody_said_is_told_by_its_form(text: str) -> None:
    assert is_invented(text)


@pytest.mark.parametrize(
    "text",
    [
        "对对对",
        "谢谢你",
        "不不不，我说的是居住证",
        "电话是13888888888",
        "噪音太大了太大了",
        "想看看怎么办理社保卡",
        "我住文昌路八十八号八幢八零八",
        "感谢您的帮助",
    ],
)
def test_what_people_say_is_not_taken_for_invented(text: str) -> None:
    assert not is_invented(text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" 身份證丟了,怎麼補辦? ", "身份证丢了，怎么补办？"),
        ("补助 12,000 元", "补助12000元"),
        ("楼下 冒烟 !", "楼下冒烟！"),
        ("", ""),
    ],
)
def test_how_a_transcript_is_written(raw: str, text: str) -> None:
    assert written(raw) == text
