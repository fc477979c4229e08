"""A citizen at the Chat API, a dispatcher at the desk page, and a way to wait for them."""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from PIL import ExifTags, Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational

from tests.stack import Stack
from tests.waiting import WAIT_SECONDS, wait_until

INSIDE = (30.2741, 120.1551)
"""A point in the middle of the sample city (latitude, longitude, degrees WGS 84)."""
OUTSIDE = (39.9087, 116.3975)
"""A point a thousand kilometres away from the sample city."""

ANSWER_SECONDS = 150.0
"""What comes by way of several processes is awaited for so long: one that starts on a busy machine
is slow, not wrong, and what was tried while it was away is tried again later and later."""

Attachment = dict[str, Any]


def jpeg(gps: tuple[float, float] | None = None, *, quality: int = 85) -> bytes:
    """A real photograph-like JPEG, with GPS coordinates in its EXIF data when given."""
    image = Image.effect_noise((320, 240), 60).convert("RGB")
    ImageDraw.Draw(image).rectangle((40, 60, 280, 200), fill=(90, 80, 70))
    exif = Image.Exif()
    if gps is not None:
        latitude, longitude = gps
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N" if latitude >= 0 else "S",
                ExifTags.GPS.GPSLatitude: _sexagesimal(latitude),
                ExifTags.GPS.GPSLongitudeRef: "E" if longitude >= 0 else "W",
                ExifTags.GPS.GPSLongitude: _sexagesimal(longitude),
            }
        )
    output = io.BytesIO()
    image.save(output, "JPEG", quality=quality, exif=exif)
    return output.getvalue()


def _sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    value = abs(degrees)
    minutes = (value - int(value)) * 60
    seconds = (minutes - int(minutes)) * 60
    return IFDRational(int(value)), IFDRational(int(minutes)), IFDRational(round(seconds, 3))


def photo(data: bytes | None = None, content_type: str = "image/jpeg") -> Attachment:
    """A photo attachment of the Chat API."""
    encoded = base64.b64encode(jpeg() if data is None else data).decode()
    return {"type": "photo", "content_type": content_type, "data": encoded}


def location(latitude: float = INSIDE[0], longitude: float = INSIDE[1]) -> Attachment:
    """A shared location of the Chat API."""
    return {"type": "location", "latitude": latitude, "longitude": longitude}


@dataclass(frozen=True)
class Heard:
    """One answer of the Chat API."""

    body: dict[str, Any]

    @property
    def intent(self) -> str:
        return str(self.body["understanding"]["intent"])

    @property
    def category(self) -> str | None:
        category: str | None = self.body["understanding"]["category"]
        return category

    @property
    def replies(self) -> list[dict[str, Any]]:
        replies: list[dict[str, Any]] = self.body["replies"]
        return replies

    @property
    def text(self) -> str:
        return "\n".join(reply["text"] for reply in self.replies)

    @property
    def buttons(self) -> dict[str, str]:
        """Titles and payloads of all replies."""
        return {b["title"]: b["payload"] for reply in self.replies for b in reply["buttons"]}

    def cards(self, kind: str) -> list[dict[str, Any]]:
        return [c for reply in self.replies for c in reply["cards"] if c["kind"] == kind]

    def card(self, kind: str) -> dict[str, Any]:
        """The only card of a kind."""
        (card,) = self.cards(kind)
        return card


@dataclass
class Citizen:
    """One conversation. ``last`` is the newest answer or pushed message with buttons."""

    stack: Stack
    http: httpx.Client
    name: str
    buttons: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def post(self, text: str, attachments: Sequence[Attachment] = ()) -> httpx.Response:
        """Send a message and return the bare response."""
        body = {
            "conversation_id": self.name,
            "channel": "api",
            "text": text,
            "attachments": list(attachments),
        }
        return self.http.post("/api/v1/messages", json=body)

    def say(self, text: str = "", *attachments: Attachment) -> Heard:
        """Send a message that must be answered."""
        response = self.post(text, attachments)
        assert response.status_code == 200, response.text
        heard = Heard(response.json())
        assert heard.body["conversation_id"] == self.name
        assert heard.replies, f"no reply to {text!r}"
        self.buttons = heard.buttons
        return heard

    def press(self, title: str) -> Heard:
        """Press a button of the last answer; ``title`` is the beginning of its title."""
        matching = [payload for name, payload in self.buttons.items() if name.startswith(title)]
        assert matching, f"no button {title!r} in {list(self.buttons)}"
        return self.say(matching[0])

    def news(self) -> list[dict[str, Any]]:
        """Replies pushed since the last call, oldest first."""
        response = self.http.get(
            "/api/v1/messages", params={"conversation_id": self.name, "after": self.seen}
        )
        assert response.status_code == 200, response.text
        fresh = []
        for message in response.json()["messages"]:
            assert message["id"] > self.seen
            self.seen = message["id"]
            fresh += message["replies"]
        return fresh

    def wait_news(self, words: str) -> dict[str, Any]:
        """Wait for a pushed reply that contains ``words``; older ones are passed over."""
        passed: list[str] = []

        def look() -> dict[str, Any] | None:
            found = None
            for reply in self.news():
                passed.append(reply["text"])
                if found is None and words in reply["text"]:
                    found = reply
            return found

        reply = wait_until(look, lambda: f"news with {words!r} among {passed}", ANSWER_SECONDS)
        self.buttons = {b["title"]: b["payload"] for b in reply["buttons"]}
        return reply

    def file_complaint(self, words: str) -> str:
        """File a complaint in one message with a shared point, and return the ticket id."""
        self.say(words, location())
        return str(self.confirm().card("ticket")["id"])

    def confirm(self) -> Heard:
        """Confirm a complaint: with the button for it, or by choosing the likeliest category."""
        if "确认提交" in self.buttons:
            return self.press("确认提交")
        choices = (t for t, payload in self.buttons.items() if "choose_category" in payload)
        return self.press(next(choices))


class Desk:
    """The desk: its open API, and its page after logging in."""

    def __init__(self, stack: Stack, operator: str = "李敏") -> None:
        self._stack = stack
        self._operator = operator
        self._http = httpx.Client(base_url=stack.desk_url, timeout=WAIT_SECONDS)

    def close(self) -> None:
        """Release the connection."""
        self._http.close()

    def requests(self, words: str) -> list[dict[str, Any]]:
        """Every request whose description contains ``words`` (GeoReport API)."""
        response = self._http.get("/requests.json", params={"extensions": "true"})
        response.raise_for_status()
        return [r for r in response.json() if words in (r["description"] or "")]

    def wait_request(self, words: str) -> dict[str, Any]:
        """Wait until exactly one request with these words has arrived."""
        what = f"desk request with {words!r}"
        (request,) = wait_until(lambda: self.requests(words), what, ANSWER_SECONDS)
        return request

    def login(self) -> None:
        """Log in at the page with the token of its form."""
        fields = {
            "csrf": self._token("/desk/login"),
            "password": self._stack.settings["SHIMIN_DESK_PASSWORD"],
            "operator": self._operator,
        }
        response = self._http.post("/desk/login", data=fields)
        assert response.status_code == 303, response.text

    def page(self, request_id: str) -> str:
        """The page of one request."""
        response = self._http.get(f"/desk/requests/{request_id}")
        if response.status_code == 303:
            self.login()
            response = self._http.get(f"/desk/requests/{request_id}")
        assert response.status_code == 200, response.text
        return response.text

    def act(self, request_id: str, action: str, explanation: str = "") -> None:
        """Take one step in the dispatcher's form."""
        token = _csrf(self.page(request_id))
        response = self._http.post(
            f"/desk/requests/{request_id}/actions",
            data={"csrf": token, "action": action, "explanation": explanation},
        )
        assert response.status_code == 303, response.text

    def _token(self, path: str) -> str:
        return _csrf(self._http.get(path).text)


def _csrf(page: str) -> str:
    return page.split('name="csrf" value="')[1].split('"', maxsplit=1)[0]


def citizens(stack: Stack) -> Iterator[Callable[[], Citizen]]:
    """Give a maker of citizens nobody else is, over one connection."""
    key = stack.settings["SHIMIN_API_KEY"]
    with httpx.Client(
        base_url=stack.url, timeout=WAIT_SECONDS, headers={"Authorization": f"Bearer {key}"}
    ) as http:
        yield lambda: Citizen(stack, http, f"e2e-{uuid.uuid4().hex[:12]}")
