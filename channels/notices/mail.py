"""Mail: one message a recipient, over one connection as long as it lasts.

Every message names its way out: ``List-Unsubscribe`` with ``List-Unsubscribe-Post`` (RFC 2369,
RFC 8058). Its ``Message-ID`` is that of the delivery, so a message that was taken while we died
before noting it bears the same one when it is sent again, by which mail servers drop the second.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from types import TracebackType

from base.errors import ConfigurationError, InputError
from base.settings import Settings
from channels.notices.addresses import LOOPBACK, check_address
from channels.notices.errors import RefusedError, SendError
from store.models import utc_now

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Mail:
    """One message: to whom, what, its own id (letters and digits) and the link that ends it."""

    to: str
    subject: str
    text: str
    name: str
    unsubscribe: str


class Mailer:
    """Sends mail through the configured server; a context manager that closes its connection.

    Raises:
        ConfigurationError: no server or sender is set, or passwords would travel in the clear.
    """

    def __init__(self, settings: Settings) -> None:
        display, sender = parseaddr(settings.smtp_sender)
        if not settings.smtp_host:
            raise ConfigurationError("SHIMIN_SMTP_HOST is not set: no mail can be sent")
        try:
            local, _, domain = check_address("email", sender, settings).partition("@")
        except InputError as error:
            raise ConfigurationError("SHIMIN_SMTP_SENDER is not an address") from error
        if settings.smtp_security == "none" and settings.smtp_host not in LOOPBACK:
            raise ConfigurationError("SHIMIN_SMTP_SECURITY=none is for the loopback only")
        self._settings = settings
        self._sender = Address(display, local, domain)
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> Mailer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def send(self, mail: Mail) -> None:
        """Send one message.

        Raises:
            RefusedError: the server refuses the recipient or the message for good (5xx).
            SendError: the server is away, refuses us, or says not now (4xx).
        """
        message = self.message(mail)
        try:
            self._connected().send_message(message, self._sender.addr_spec, [mail.to])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            self._reset()
            raise _refusal(code, "recipient") from error
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            raise SendError(f"login refused ({error.smtp_code})", down=True) from error
        except smtplib.SMTPSenderRefused as error:
            self._drop()
            raise SendError(f"sender refused ({error.smtp_code})", down=True) from error
        except smtplib.SMTPDataError as error:
            self._reset()
            raise _refusal(error.smtp_code, "message") from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise SendError(type(error).__name__, down=True) from error

    def connect(self) -> None:
        """Connect and log in, to see whether it can be done.

        Raises:
            SendError: the server is away or refuses us.
        """
        try:
            self._connected().noop()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise SendError(type(error).__name__, down=True) from error

    def message(self, mail: Mail) -> EmailMessage:
        """Build the message.

        Raises:
            ValueError: a line break in a header; none of ours has one.
        """
        local, _, domain = mail.to.partition("@")
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address("", local, domain)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(utc_now())
        message["Message-ID"] = f"<{mail.name}@{self._sender.domain}>"
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
        message.set_content(mail.text, cte="base64")
        return message

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None:
            return self._connection
        settings = self._settings
        where = (settings.smtp_host, settings.smtp_port)
        context = ssl.create_default_context()
        if settings.smtp_ca_file is not None:
            context.load_verify_locations(settings.smtp_ca_file)
        connection: smtplib.SMTP
        if settings.smtp_security == "tls":
            connection = smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=context)
        else:
            connection = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
        self._connection = connection
        if settings.smtp_security == "starttls":
            connection.starttls(context=context)
        if settings.smtp_user:
            connection.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        return connection

    def _reset(self) -> None:
        """Keep the connection after a refusal, if the server does."""
        try:
            if self._connection is not None:
                self._connection.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.quit()
            except (smtplib.SMTPException, OSError):
                connection.close()


def _refusal(code: int, what: str) -> SendError:
    words = f"{what} refused ({code})"
    return RefusedError(words) if code >= 500 else SendError(words)
