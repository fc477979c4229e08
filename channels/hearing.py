"""Recordings in a message become words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import structlog

from base.errors import InputError
from base.settings import ROOT, Settings
from channels.attachments import check_audio
from channels.message import Attachment, Audio
from dispatch.places.atlas import Atlas, District, Line, Place
from matcher.service import load_services
from speech.audio import decode
from speech.engines import load_recogniser
from speech.lexicon import Lexicon, lookup_words
from speech.recogniser import Transcript
from speech.writing import written

log = structlog.get_logger(__name__)

MAX_RECORDINGS = 3
PLATFORM = "platform"
"""Engine of a transcript that came with the recording."""


class Hearing:
    """Checks, decodes and recognises what a citizen said.

    ``recogniser`` is None where nothing can be heard but what a platform wrote down itself.

    Raises:
        ConfigurationError: the recogniser that is asked for cannot be had.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.recogniser = load_recogniser(settings, lambda: self.lexicon.words)

    @property
    def engine(self) -> str:
        """Name of the recogniser, ``none`` without one."""
        return "none" if self.recogniser is None else self.recogniser.name

    def hear(self, attachments: Sequence[Attachment]) -> Transcript | None:
        """Return what the recordings of a message say together; None without a recording.

        Raises:
            InputError: ``speech_unavailable``, ``too_many_recordings``, ``audio_broken``,
                ``audio_not_audio``.
            TooLargeError: ``audio_too_large``, ``audio_too_long``.
            UpstreamError: ``speech_busy``.
        """
        recordings = [a for a in attachments if isinstance(a, Audio)]
        if not recordings:
            return None
        if len(recordings) > MAX_RECORDINGS:
            raise InputError(
                "too_many_recordings",
                f"一次最多发{MAX_RECORDINGS}段语音，其余的可以接着再发。",
                f"{len(recordings)} recordings",
            )
        heard = [self._hear(recording) for recording in recordings]
        return self.lexicon.repaired(_together(heard))

    def _hear(self, audio: Audio) -> Transcript:
        data = check_audio(audio, self._settings)
        given = written(audio.transcript or "")
        if given:
            return Transcript(given, PLATFORM, 0.0)
        if self.recogniser is None:
            raise InputError(
                "speech_unavailable",
                "现在还听不了语音，请用文字告诉我，或者用输入法的语音转文字。",
                "no recogniser is configured",
            )
        sound = decode(data, self._settings.max_audio_seconds)
        started = time.monotonic()
        heard = self.recogniser.recognise(sound)
        log.info(
            "heard",
            engine=heard.engine,
            seconds=round(sound.seconds, 1),
            took=round(time.monotonic() - started, 2),
            confidence=None if heard.confidence is None else round(heard.confidence, 2),
            unheard=heard.unheard,
        )
        return heard

    @cached_property
    def lexicon(self) -> Lexicon:
        """The words of the domain and the names of the city's places, read when first needed."""
        settings = self._settings
        atlas = Atlas.load(settings.city_dir)
        streets = (street.name for district in atlas.districts for street in district.streets)
        named: tuple[District | Line | Place, ...] = (
            *atlas.districts, *atlas.roads, *atlas.rivers, *atlas.places,
        )  # fmt: skip
        services = load_services(settings.policies_dir / "services")
        return Lexicon(
            [
                *lookup_words(ROOT / "nlu_data" / "lookups.yml"),
                *streets,
                *(name for place in named for name in (place.name, *place.aliases)),
                *(name for item in services for name in (item.name, *item.aliases)),
            ]
        )


def _together(heard: Sequence[Transcript]) -> Transcript:
    """Return several recordings as one; those without words count only when none has any."""
    told = [transcript for transcript in heard if transcript.text]
    if len(told) < 2:
        return (told or list(heard))[0]
    known = [t.confidence for t in told if t.confidence is not None]
    return replace(
        told[0],
        text="，".join(transcript.text for transcript in told),
        seconds=sum(transcript.seconds for transcript in told),
        confidence=min(known, default=None),
        words=(),
        alternatives=(),
    )
