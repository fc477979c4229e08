"""Citizens who follow the official account, at the stand-in of the platform."""

from __future__ import annotations

import re
import uuid

from geocoordinates_ffi import Wgs84, wgs84_to_gcj02

from channels.wechat.wording import ASKED
from tests.channels.wechat.official import Official, Servers
from tests.e2e.channels.people import Queues, Shown
from tests.e2e.driver import ANSWER_SECONDS
from tests.stack import Stack
from tests.waiting import wait_until

_LINE = re.compile(r"^([0-9]{1,2}|[A-Z])\. (.+)$")


class OnWechat:
    """One follower. He chooses by writing the number or letter in front of a line.

    A photo has no caption there: words to it are a message of their own, after it.
    """

    def __init__(self, stack: Stack, official: Official, servers: Servers) -> None:
        self._official, self._servers = official, servers
        self._openid = f"oCitizen_{uuid.uuid4().hex[:20]}"
        self.queues = Queues(stack, "wechat", self._openid)
        self._sent = 0
        self._passive: list[str] = []
        self._labels: dict[str, str] = {}

    @property
    def citizen(self) -> str:
        return f"wechat:{self._openid}"

    @property
    def texts(self) -> list[str]:
        """Everything the account has said to him, either way."""
        return [*self._passive, *self._official.texts(self._openid)]

    def say(self, words: str) -> Shown:
        return self._push("text", Content=words)

    def press(self, title: str) -> Shown:
        label = self._labels.get(title)
        assert label, f"no line {title!r} in {self._labels}"
        return self.say(label)

    def send_photo(self, data: bytes, words: str) -> Shown:
        name = f"photo-{uuid.uuid4().hex}"
        self._official.media[name] = ("image/jpeg", data)
        shown = self._push("image", PicUrl="http://x", MediaId=name)
        return Shown.all([shown, self.say(words)]) if words else shown

    def share_place(self, latitude: float, longitude: float) -> Shown:
        """Phones in the mainland send GCJ-02."""
        point = wgs84_to_gcj02(Wgs84(lat=latitude, lon=longitude))
        return self._push(
            "location", Location_X=point.lat, Location_Y=point.lon, Scale=16, Label="云州"
        )

    def news(self, words: str) -> Shown:
        def look() -> Shown | None:
            found = [text for text in self._official.texts(self._openid) if words in text]
            return self._read(found[-1:]) if found else None

        return wait_until(look, f"news with {words!r}", ANSWER_SECONDS)

    def _push(self, kind: str, **fields: object) -> Shown:
        read = len(self._official.texts(self._openid))
        self._labels = {}
        xml = self._servers.message(self._openid, kind, **fields)
        passive = self._servers.said(self._servers.push(xml))
        self._passive += [passive] if passive else []
        self._sent += 1
        self.queues.wait_answered(self._sent)
        sent = self._official.texts(self._openid)[read:]
        return self._read([passive, *sent] if passive else sent)

    def _read(self, texts: list[str]) -> Shown:
        for text in texts:
            lines = text.partition(ASKED)[2].splitlines()
            found = (match for line in lines if (match := _LINE.match(line)))
            self._labels |= {match[2]: match[1] for match in found}
        return Shown("\n".join(texts), tuple(self._labels))
