"""Mail through a real SMTP server and robots as real HTTP servers, on loopback."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from base.errors import ConfigurationError
from base.settings import Settings
from channels.notices.errors import RefusedError, SendError
from channels.notices.mail import Mail, Mailer
from channels.notices.robots import LONGEST_BYTES, Robots, robot_client, shorten
from tests.serving import http_server
from tests.stack import free_port

LETTER = Mail(
    to="hr@example.com",
    subject="政策提醒：稳岗补贴等2项政策",
    text="有2项您符合条件的政策：\n\n【新政策】稳岗补贴",
    name="notice.7.1700000000",
    unsubscribe="https://city.example/unsubscribe/abc?expires=1&signature=2",
)


# --- mail ---------------------------------------------------------------------------------


class Mailbox:
    """What the server took, and what it says to the next message."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.tls: list[bool] = []
        self.logins: list[bytes] = []
        self.rcpt = "250 OK"
        self.data = "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
            self.tls.append(session.ssl is not None)
        return self.data

    def authenticate(self, server: Any, session: Any, envelope: Any, how: str, who: Any) -> Any:
        self.logins.append(who.login)
        return AuthResult(success=who.password == b"right", handled=False)


def certificate(folder: Path) -> Path:
    """A self-signed certificate of the loopback, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def settings(port: int, **changes: Any) -> Settings:
    values = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_sender": "市民服务 <notices@city.example.com>",
        "smtp_security": "none",
    }
    return Settings(**values | changes)


def test_a_mail_arrives_with_its_way_out() -> None:
    box = Mailbox()
    with mail_server(box) as port, Mailer(settings(port)) as mailer:
        mailer.send(LETTER)
        mailer.send(LETTER)
    first, second = box.taken
    assert first["Subject"] == LETTER.subject
    assert first["To"] == "hr@example.com"
    assert first["From"].addresses[0].addr_spec == "notices@city.example.com"
    assert first["From"].addresses[0].display_name == "市民服务"
    assert first["List-Unsubscribe"] == f"<{LETTER.unsubscribe}>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == second["Message-ID"] == f"<{LETTER.name}@city.example.com>"
    assert first.get_content().strip() == LETTER.text


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


def context_of(pem: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    return context


def test_a_login_travels_in_confidence_alone(pem: Path) -> None:
    box = Mailbox()
    options = {"authenticator": box.authenticate, "auth_required": True, "require_starttls": True}
    login = {"smtp_security": "starttls", "smtp_user": "me", "smtp_password": "right"}
    with mail_server(box, tls_context=context_of(pem), **options) as port:
        with Mailer(settings(port, smtp_ca_file=pem, **login)) as mailer:
            mailer.send(LETTER)
        with (
            Mailer(settings(port, smtp_ca_file=pem, **login | {"smtp_password": "no"})) as mailer,
            pytest.raises(SendError, match="login refused") as caught,
        ):
            mailer.send(LETTER)
    assert caught.value.down
    assert box.tls == [True]
    assert set(box.logins) == {b"me"}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_gets_nothing(pem: Path, security: str) -> None:
    box = Mailbox()
    name = "ssl_context" if security == "tls" else "tls_context"
    with mail_server(box, **{name: context_of(pem)}) as port:
        with (
            Mailer(settings(port, smtp_security=security)) as mailer,
            pytest.raises(SendError, match="SSL"),
        ):
            mailer.send(LETTER)
        assert box.taken == []
        with Mailer(settings(port, smtp_security=security, smtp_ca_file=pem)) as mailer:
            mailer.send(LETTER)
    assert len(box.taken) == 1


def test_a_server_without_starttls_gets_nothing() -> None:
    box = Mailbox()
    with (
        mail_server(box) as port,
        Mailer(settings(port, smtp_security="starttls")) as mailer,
        pytest.raises(SendError),
    ):
        mailer.send(LETTER)
    assert box.taken == []


@pytest.mark.parametrize(
    ("where", "answer", "final"),
    [
        ("rcpt", "550 no such user", True),
        ("rcpt", "451 greylisted", False),
        ("data", "554 no", True),
        ("data", "452 full", False),
    ],
)
def test_a_refusal_for_good_is_told_from_one_for_now(where: str, answer: str, final: bool) -> None:
    box = Mailbox()
    with mail_server(box) as port, Mailer(settings(port)) as mailer:
        setattr(box, where, answer)
        with pytest.raises(SendError) as caught:
            mailer.send(LETTER)
        assert isinstance(caught.value, RefusedError) == final
        assert not caught.value.down
        assert "example.com" not in str(caught.value)
        setattr(box, where, "250 OK")
        mailer.send(LETTER)  # the connection goes on
    assert len(box.taken) == 1


def test_a_server_that_is_away_is_down() -> None:
    with Mailer(settings(free_port())) as mailer, pytest.raises(SendError) as caught:
        mailer.send(LETTER)
    assert caught.value.down


def test_no_header_can_be_smuggled_in() -> None:
    with Mailer(settings(1)) as mailer:
        for bad in ({"subject": "a\r\nBcc: x@y.zz"}, {"unsubscribe": "a\nBcc: x@y.zz"}):
            with pytest.raises(ValueError, match=r"line|linefeed|return"):
                mailer.message(Mail(**{**vars(LETTER), **bad}))
        with pytest.raises(ValueError):
            mailer.message(Mail(**{**vars(LETTER), "to": "a@b.cc\r\nBcc: x@y.zz"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"smtp_host": ""},
        {"smtp_sender": "nobody"},
        {"smtp_sender": ""},
        {"smtp_host": "mail.example.com"},
    ],
)
def test_a_wrong_configuration_is_said_at_once(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Mailer(settings(25, **changes))


# --- robots -------------------------------------------------------------------------------

SECRET = "SEC0123456789abcdef"
Answer = tuple[int, bytes]


class Platform:
    """One robot's server: keeps what it hears, then says what the test wants."""

    def __init__(self, answer: Callable[[], Answer]) -> None:
        self.answer = answer
        self.port = free_port()
        self.heard: list[dict[str, Any]] = []

    def url(self, channel: str) -> str:
        paths = {
            "wecom": "/cgi-bin/webhook/send?key=01234567-89ab",
            "dingtalk": "/robot/send?access_token=0123456789abcdef",
            "feishu": "/open-apis/bot/v2/hook/0123-4567-89ab",
        }
        return f"http://127.0.0.1:{self.port}{paths[channel]}"

    @contextmanager
    def up(self) -> Iterator[Platform]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                platform.heard.append({"query": query, "body": body})
                status, data = platform.answer()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args: Any) -> None:
                pass

        with http_server(Handler, self.port):
            yield self


@pytest.fixture
def platform() -> Iterator[Platform]:
    with Platform(lambda: (200, b'{"errcode":0,"errmsg":"ok"}')).up() as found:
        yield found


def send(platform: Platform, channel: str, secret: str | None, text: str = "有新政策") -> None:
    with robot_client() as client:
        Robots(client).send(channel, platform.url(channel), secret, text)


def test_dingtalk_hears_a_signature_it_can_check(platform: Platform) -> None:
    send(platform, "dingtalk", SECRET)
    (heard,) = platform.heard
    stamp, sign = heard["query"]["timestamp"], heard["query"]["sign"]
    assert abs(int(stamp) / 1000 - time.time()) < 60  # DingTalk: within an hour
    expected = hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(sign) == expected
    assert heard["query"]["access_token"] == "0123456789abcdef"
    assert heard["body"] == {"msgtype": "text", "text": {"content": "有新政策"}}


def test_feishu_hears_a_signature_it_can_check(platform: Platform) -> None:
    platform.answer = lambda: (200, b'{"code":0,"msg":"success"}')
    send(platform, "feishu", SECRET)
    (heard,) = platform.heard
    body = heard["body"]
    key = f"{body['timestamp']}\n{SECRET}".encode()
    assert base64.b64decode(body["sign"]) == hmac.new(key, b"", hashlib.sha256).digest()
    assert (body["msg_type"], body["content"]) == ("text", {"text": "有新政策"})


def verified(channel: str, heard: dict[str, Any], secret: str, now: float) -> bool:
    """Check as the platform documents it: the signature, and a time within an hour."""
    if channel == "dingtalk":
        stamp, sign = heard["query"].get("timestamp", ""), heard["query"].get("sign", "")
        digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
        at = int(stamp or 0) / 1000
    else:
        stamp, sign = heard["body"].get("timestamp", ""), heard["body"].get("sign", "")
        digest = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)
        at = int(stamp or 0)
    expected = base64.b64encode(digest.digest()).decode()
    return abs(now - at) < 3600 and hmac.compare_digest(expected, sign)


@pytest.mark.parametrize("channel", ["dingtalk", "feishu"])
@pytest.mark.parametrize(
    ("secret", "late", "taken"),
    [(SECRET, 0, True), ("SECanother", 0, False), (None, 0, False), (SECRET, 4000, False)],
)
def test_a_platform_that_verifies_takes_what_is_signed_right_and_now(
    platform: Platform, channel: str, secret: str | None, late: float, taken: bool
) -> None:
    now = 1_795_334_400.0
    codes = {
        "dingtalk": (b'{"errcode":0}', b'{"errcode":310000,"errmsg":"sign not match"}'),
        "feishu": (b'{"code":0}', b'{"code":19021,"msg":"sign match fail"}'),
    }

    def answer() -> Answer:
        fits = verified(channel, platform.heard[-1], SECRET, now)
        return 200, codes[channel][0 if fits else 1]

    platform.answer = answer
    with robot_client() as client:
        robots = Robots(client, lambda: now - late)
        if taken:
            robots.send(channel, platform.url(channel), secret, "有新政策")
            return
        with pytest.raises(RefusedError):
            robots.send(channel, platform.url(channel), secret, "有新政策")


def test_wecom_needs_the_key_in_its_address_alone(platform: Platform) -> None:
    send(platform, "wecom", None)
    (heard,) = platform.heard
    assert heard["query"] == {"key": "01234567-89ab"}
    assert heard["body"] == {"msgtype": "markdown", "markdown": {"content": "有新政策"}}


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        ((200, b'{"errcode":310000,"errmsg":"sign not match"}'), True),
        ((200, b'{"errcode":93000}'), True),
        ((200, b'{"code":19021}'), True),
        ((404, b""), True),
        ((302, b""), True),
        ((200, b'{"errcode":45009}'), False),
        ((200, b'{"errcode":130101}'), False),
        ((200, b'{"code":11232}'), False),
        ((200, b"<html>"), False),
        ((200, b"[]"), False),
        ((200, b"{}"), False),
        ((200, b'{"errcode":true}'), False),
        ((503, b""), False),
        ((429, b""), False),
        ((200, b"x" * 200_000), False),
    ],
)
def test_a_platforms_answers_are_told_apart(
    platform: Platform, answer: Answer, final: bool
) -> None:
    platform.answer = lambda: answer
    with pytest.raises(SendError) as caught:
        send(platform, "dingtalk", SECRET)
    assert isinstance(caught.value, RefusedError) == final
    assert "access_token" not in str(caught.value)
    assert len(platform.heard) == 1


def test_a_platform_that_is_away_is_down() -> None:
    with pytest.raises(SendError) as caught:
        send(Platform(lambda: (200, b"")), "wecom", None)
    assert caught.value.down


def test_what_is_too_long_is_cut_before_the_way_out(platform: Platform) -> None:
    way_out = "不想再收，点这里退订：https://city.example/unsubscribe/abc"
    send(platform, "wecom", None, "很长" * 3000 + "\n\n" + way_out)
    text = platform.heard[0]["body"]["markdown"]["content"]
    assert len(text.encode()) <= LONGEST_BYTES["wecom"]
    assert text.endswith(way_out)
    assert shorten("短", 10) == "短"
