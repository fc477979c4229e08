"""What is said to somebody who speaks, and the few words he answers a read-back with."""

from __future__ import annotations

import re
from typing import Any

from speech.recogniser import Transcript, Unheard

Reply = dict[str, Any]

HUMAN = {"title": "转人工", "payload": "/ask_human"}
MORE = {"title": "接着听", "payload": "继续"}
_YES_NO = ({"title": "对", "payload": "对"}, {"title": "不对", "payload": "不对"})

_BARE = re.compile(r"[\W_]+|^[嗯呃啊哦诶哎]+(?=.)")
_YES = re.compile(
    r"(?:对|是|嗯|好|行)+(?:的|了|啊|呀|吧|呢)?|(?:对|是|嗯)*(?:没错|就是|正确|可以|确认|确定|确认提交|提交)"
    r"(?:的|了|啊|这个|这样|吧)?|(?:对|是)+(?:的|就)?(?:是)?(?:这样|这个|这么说)的?"
)
_NO = re.compile(
    r"(?:不|没有|错)+(?:对|是|行|好)?(?:的|了|啊|吧|这个|这样|这么说)*|(?:你|您)?(?:听|说|搞)错了?|不是这(?:个|样)的?"
)
_CORRECTED = re.compile(
    r"^(?:不是|不对|错了|不)(?:的|啊|呀)?[，,。.!！\s]+"
    r"(?:我(?:是)?(?:想|要)?(?:说|问)的?(?:是)?|是)?(.{4,})$"
)
_AGAIN = re.compile(
    r"(?:请|麻烦)?(?:你|您)?(?:再|重新?)(?:说|讲|念|读)一?(?:遍|次|下)吧?|(?:我)?没听清楚?|什么"
)
_MORE = re.compile(
    r"(?:好的?|嗯|对)?(?:继续|接着|往下|还要|我要|再)(?:听|说|讲|念|读)?(?:下去|吧|一点)?|听下去"
)
_SLOWER = re.compile(
    r"(?:请|麻烦|能不能|可以)*(?:你|您)?(?:说|讲|读|念)?(?:得|的)?慢(?:一)?点(?:儿)?(?:说|讲|读|念)?(?:吧|吗|行吗)?"
)
_FASTER = re.compile(
    r"(?:请)?(?:你|您)?(?:说|讲|读|念)?(?:得|的)?(?:快(?:一)?点(?:儿)?|正常(?:速度|语速)?)(?:说|讲|读)?(?:吧|吗)?"
)

_UNHEARD = {
    Unheard.SILENCE: "没听到声音，请靠近话筒，再说一遍。",
    Unheard.NOISE: "没听清您说的话，周围可能有点吵，请靠近话筒，再说一遍。",
    Unheard.INVENTED: "没听清您说的话，请慢一点，再说一遍。",
    Unheard.FOREIGN: (
        "我现在只听得懂普通话，请用普通话再说一遍，也可以打字。\n"
        "Sorry, I can only understand Mandarin speech. You are welcome to type instead."
    ),
}
_OTHER_WAY = "两次都没听清，咱们换个办法：您可以打字，也可以点“转人工”，请工作人员帮您。"
_MOST_ASKED = 3


def _says(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(_BARE.sub("", text)) is not None


def says_yes(text: str) -> bool:
    """Tell whether the words are a plain yes and nothing else."""
    return _says(_YES, text)


def says_no(text: str) -> bool:
    """Tell whether the words are a plain no and nothing else."""
    return _says(_NO, text)


def correction(text: str) -> str | None:
    """Return what somebody says instead: 不是，我是说居住证 → 居住证; None when it is no such."""
    match = _CORRECTED.match(text.strip())
    return match.group(1) if match else None


def asks_again(text: str) -> bool:
    """Tell whether the last question shall be said again."""
    return _says(_AGAIN, text)


def asks_for_more(text: str) -> bool:
    """Tell whether the rest of an answer shall be read."""
    return _says(_MORE, text)


def asks_slower(text: str) -> bool:
    """Tell whether slow speech is wished for."""
    return _says(_SLOWER, text)


def asks_faster(text: str) -> bool:
    """Tell whether slow speech is wished for no more."""
    return _says(_FASTER, text)


def not_heard(why: Unheard, failures: int) -> Reply:
    """Say that a recording gave no words; after two in a row offer another way."""
    text = _UNHEARD[why]
    if failures >= 2:
        text = f"{text.splitlines()[0]}\n{_OTHER_WAY}"
    return {"text": text, "buttons": [HUMAN]}


def read_back(heard: str, transcript: Transcript | None = None) -> Reply:
    """Ask whether this is what was said.

    Args:
        heard: the words.
        transcript: where they come from: its unsure words are named, and the reading that comes
            next is offered.
    """
    unsure = unsure_words(transcript) if transcript else []
    doubt = f"其中{'、'.join(f'“{word}”' for word in unsure)}没听准。" if unsure else ""
    buttons = [*_YES_NO, HUMAN]
    other = _other_reading(heard, transcript)
    if other:
        buttons.insert(1, {"title": f"是“{other}”", "payload": other})
    return {
        "text": f"您是想说“{heard}”吗？{doubt}",
        "speech": f"您是想说，{heard}，对吗？",
        "buttons": buttons,
    }


def say_it_again(failures: int) -> Reply:
    """Ask for the words again after a no."""
    text = _OTHER_WAY if failures >= 2 else "是我没听对。请您再说一遍，也可以打字。"
    return {"text": text, "buttons": [HUMAN]}


def speaking_slowly(slow: bool) -> Reply:
    """Say that the voice is slow from now on, or no more."""
    text = "好的，我说慢一点，一次说一句。" if slow else "好的，恢复正常语速。"
    return {"text": text, "buttons": [{"title": "再说一遍", "payload": "再说一遍"}, HUMAN]}


def unsure_words(transcript: Transcript, below: float = 0.4) -> list[str]:
    """Return the stretches of a transcript that the recogniser was unsure of, at most three."""
    stretches, open_ = [""], False
    for word in transcript.words:
        doubtful = word.confidence < below and any(char.isalnum() for char in word.text)
        if doubtful and not open_:
            stretches.append("")
        if doubtful:
            stretches[-1] += word.text
        open_ = doubtful
    found = list(dict.fromkeys(stretch for stretch in stretches if stretch))
    return found[:_MOST_ASKED]


def _other_reading(heard: str, transcript: Transcript | None) -> str | None:
    said = _BARE.sub("", heard)
    others = transcript.alternatives if transcript else ()
    return next((o for o in others if _BARE.sub("", o) != said and len(o) <= 24), None)
