"""One connection to a server that takes letters (SMTP). It blocks: its caller has a thread.

Refused with `mailbox_answers` when nothing can be sent now.
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any, Final

from server.domain.refusals import Refusal

TIMEOUT_S: Final = 20.0


class Postbox:
    """Where a source's acknowledgements go out, as its settings say; with the mailbox's own user and
    password where the server asks for them."""

    def __init__(self, settings: Mapping[str, Any], password: str) -> None:
        self._told, self._password = settings, password
        self._server: smtplib.SMTP | None = None

    def open(self) -> None:
        """Connects and signs in."""
        host, port, tls = (self._told[name] for name in ("smtp_host", "smtp_port", "smtp_tls"))
        try:
            if tls == "tls":
                context = ssl.create_default_context()
                self._server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
            else:
                self._server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
                if tls == "starttls":
                    self._server.starttls(context=ssl.create_default_context())
            self._server.ehlo_or_helo_if_needed()
            if self._server.has_extn("auth"):
                self._server.login(self._told["user"], self._password)
        except (OSError, smtplib.SMTPException, UnicodeError, ValueError):
            self.close()
            raise Refusal("mailbox_answers") from None

    def send(self, letter: EmailMessage) -> bool:
        """Whether the letter is out of our hands: taken, or refused for good. False: it was surely not
        taken and may be tried again. A connection that is lost in the middle counts as taken, because
        it may have been."""
        assert self._server is not None
        try:
            self._server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as refused:
            return all(code >= 500 for code, _ in refused.recipients.values())
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code >= 500 and not isinstance(
                refused, smtplib.SMTPSenderRefused | smtplib.SMTPAuthenticationError
            )
        except (OSError, smtplib.SMTPException, UnicodeError, ValueError):
            return True
        return True

    def close(self) -> None:
        """Says goodbye."""
        if self._server is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._server = None
