"""The answer that a letter's sender gets: that it came in, and the code to look it up by. Pure.

Nothing of the letter is repeated: who forges a sender makes nobody read his words.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from moderation.intake.mail import ANSWERED_ALREADY


def acknowledgement(
    code: str, secret: str, link: str, sender: str, to: str, message_id: str, at: datetime
) -> EmailMessage:
    """The message; `secret` lets its reader appeal and rate the answer; `link` is where the code is looked
    up, "" where no address is known; `message_id`
    is the letter's, "" where it has none. Raises :class:`ValueError` for what is no header."""
    answer = EmailMessage(policy=SMTP)
    answer["From"], answer["To"] = sender, to
    answer["Subject"] = f"来信已收到 Your letter has come in: {code}"
    answer["Date"] = format_datetime(at)
    # The same for the same letter: a mailbox that gets it twice after all shows it once.
    same = hashlib.sha256(f"{code} {to}".encode()).hexdigest()[:16]
    answer["Message-ID"] = f"<{same}{ANSWERED_ALREADY.decode()}{sender.rpartition('@')[2]}>"
    if message_id:
        answer["In-Reply-To"] = answer["References"] = message_id
    answer["Auto-Submitted"] = "auto-replied"
    answer["X-Auto-Response-Suppress"] = "All"
    where_zh = f"查询地址：{link}" if link else "可在评议公开页凭码查询。"
    where_en = f"Look it up at {link}" if link else "Look it up on the hearing's public page."
    answer.set_content(
        f"您好！您的来信已收到，查询码 {code}。\n"
        f"来信先隐去个人信息，再由工作人员审看；办理情况凭查询码随时可查。\n{where_zh}\n"
        f"凭证 {secret}：未被采用时可凭它申诉一次，答复后可凭它评价。请勿转给他人。\n"
        f"本邮件由系统自动发出，请勿回复。\n\n"
        f"Your letter has come in. Its code is {code}.\n"
        f"Personal details are hidden first, then staff read it; the code tells at any time what "
        f"became of it.\n{where_en}\nYour secret is {secret}: with it you may appeal once if the letter "
        f"is not taken up, and rate the answer. Keep it to yourself.\nThis message was sent automatically; please do not reply.\n",
        charset="utf-8",
        cte="base64",
    )
    return answer
