"""The policy for what is spoken: nothing uncertain is acted on before it was read back.

A recogniser writes wrong words with a straight face, so the words are read back
(您是想说“……”吗？) when it was not sure, when the understanding is not sure, or when they would
change or erase something. A complaint is read back by its own summary before it is filed, and a
withdrawal by its own question. Danger is never read back.

What is open (a read-back, the rest of an answer) lies in the store: a restart loses none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from base.settings import Settings
from channels import spoken_words as words
from channels.message import Button, Reply
from channels.payloads import is_payload
from channels.rasa import RasaClient
from speech.reading import SHORT_TURN, short_turn
from speech.recogniser import Transcript, Unheard
from store.database import reading, unit_of_work
from store.models import utc_now
from store.spoken import Spoken, is_speaking, keep_spoken, spoken_state, wants_slow

_EMERGENCY = "emergency"
_FALLBACK = "nlu_fallback"
_CHANGES = frozenset(
    {
        "affirm",
        "cancel",
        "confirm_withdraw",
        "forget_me",
        "rate_ticket",
        "unsubscribe_policies",
    }
)
"""What is carried out at once when it is said; ``affirm`` in other words than a plain yes."""
_UNDERSTOOD = 0.5
_HARDLY_HEARD = 0.45
"""Confidence below which even a plain yes or no counts as not heard."""
_MORE = "还要听吗？要听请说“继续”。"


@dataclass(frozen=True)
class Taken:
    """What is made of a message: ``text`` goes on, ``said`` is answered without the assistant.

    ``parse`` is the understanding of ``read_back``, the words that are being read back. The
    answer to ``aloud`` is to be heard, although it may be a button that asked for it.
    """

    text: str
    said: tuple[dict[str, Any], ...] = ()
    parse: dict[str, Any] | None = None
    read_back: str = ""
    aloud: bool = False


class SpokenPolicy:
    """Decides what becomes of spoken words, and how much of an answer is read aloud."""

    def __init__(self, settings: Settings, rasa: RasaClient) -> None:
        self._sure = settings.speech_sure
        self._rasa = rasa

    def take(self, citizen: str, typed: str, heard: Transcript | None) -> Taken:
        """Decide on a message: its typed words, and what was heard in its recordings."""
        state = self._state(citizen)
        if heard is not None and _is_unheard(heard):
            failures = state.failures + 1
            self._keep(citizen, replace(state, failures=failures))
            return Taken(typed, (words.not_heard(heard.unheard or Unheard.NOISE, failures),))
        said = "，".join(part for part in (typed, heard.text if heard else "") if part)
        if not said or is_payload(said):
            return Taken(said)
        answered = self._answer(citizen, state, said, spoken=heard is not None)
        if answered is not None:
            return answered
        said = (words.correction(said) if state.heard else None) or said
        if heard is not None and not typed:
            parse = self._rasa.understand(said)
            if parse and is_doubtful(heard, said, parse, self._sure):
                self._keep(citizen, Spoken(heard=said, failures=state.failures, slow=state.slow))
                return Taken("", (words.read_back(said, heard),), parse, said)
        if state != Spoken(slow=state.slow):
            self._keep(citizen, Spoken(slow=state.slow))
        return Taken(said)

    def told(self, citizen: str, replies: Sequence[Reply]) -> tuple[Reply, ...]:
        """Return the replies to somebody who spoke: short to hear, a person always within reach.

        What is not read aloud now is kept for “继续”; everything stays to be read.
        """
        if not replies:
            return ()
        state = self._state(citizen)
        turn = short_turn([reply.speech for reply in replies], 1 if state.slow else SHORT_TURN)
        self._keep(citizen, replace(state, rest=turn.rest or None))
        first = replies[0].model_copy(
            update={"speech": f"{turn.now}{_MORE}" if turn.rest else turn.now}
        )
        silent = [reply.model_copy(update={"speech": ""}) for reply in replies[1:]]
        *before, last = [first, *silent]
        offered = [words.MORE, words.HUMAN] if turn.rest else [words.HUMAN]
        known = {button.payload for button in last.buttons}
        added = tuple(Button(**offer) for offer in offered if offer["payload"] not in known)
        return (*before, last.model_copy(update={"buttons": (*last.buttons, *added)}))

    def is_slow(self, citizen: str) -> bool:
        """Tell whether a citizen has asked for slow speech."""
        with reading() as session:
            return wants_slow(session, citizen)

    def _answer(self, citizen: str, state: Spoken, said: str, *, spoken: bool) -> Taken | None:
        """Take an answer to what is open, or a wish about the voice; None for anything else."""
        if state.heard is not None:
            if words.says_yes(said):
                self._keep(citizen, Spoken(slow=state.slow))
                return Taken(state.heard)
            if words.says_no(said):
                failures = state.failures + 1
                self._keep(citizen, Spoken(failures=failures, slow=state.slow))
                return Taken("", (words.say_it_again(failures),))
            if words.asks_again(said):
                return Taken("", (words.read_back(state.heard),))
        if state.rest is not None and words.asks_for_more(said):
            return Taken("", ({"text": state.rest},), aloud=True)
        slower = words.asks_slower(said)
        about_voice = slower or (state.slow and words.asks_faster(said))
        if about_voice and (spoken or state != Spoken()):
            self._keep(citizen, replace(state, slow=slower))
            return Taken("", (words.speaking_slowly(slower),), aloud=True)
        return None

    @staticmethod
    def _state(citizen: str) -> Spoken:
        with reading() as session:
            if not is_speaking(session, citizen):
                return Spoken()
        with unit_of_work() as session:
            return spoken_state(session, citizen, utc_now())

    @staticmethod
    def _keep(citizen: str, state: Spoken) -> None:
        with unit_of_work() as session:
            keep_spoken(session, citizen, state, utc_now())


def is_doubtful(heard: Transcript, said: str, parse: dict[str, Any], sure: float) -> bool:
    """Tell whether words are read back before they are acted on.

    Args:
        heard: the transcript that ``said`` comes from.
        said: the words as they would go on.
        parse: Rasa's understanding of them.
        sure: confidence of the recogniser under which they are (``settings.speech_sure``).
    """
    intent = parse.get("intent") or {}
    name, confidence = intent.get("name"), float(intent.get("confidence") or 0.0)
    if name == _EMERGENCY or _is_plain(said):
        return False
    if heard.confidence is not None and heard.confidence < sure:
        return True
    return name in _CHANGES or name == _FALLBACK or confidence < _UNDERSTOOD


def _is_plain(said: str) -> bool:
    return words.says_yes(said) or words.says_no(said)


def _is_unheard(heard: Transcript) -> bool:
    """Tell whether there are no words, or a yes or no that may be none."""
    if heard.unheard is not None or not heard.text:
        return True
    hardly = heard.confidence is not None and heard.confidence < _HARDLY_HEARD
    return hardly and _is_plain(heard.text)
