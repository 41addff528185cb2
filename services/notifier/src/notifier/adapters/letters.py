"""A message as an e-mail: text and HTML, made so that nothing in it can become a header."""

from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from re import sub

from notifier.domain.message import Message, Tone
from notifier.domain.notification import Claim
from notifier.domain.words import Words

LONGEST_SUBJECT = 150
_UNFOLDED = SMTP.clone(max_line_length=LONGEST_SUBJECT + 40)
"""Folded before its first word, a plain subject would begin with a space. Encoded words have a length of their own."""
_COLOURS: Mapping[Tone, str] = {Tone.GOOD: "#1a7f37", Tone.ATTENTION: "#9a6700", Tone.BAD: "#cf222e"}
_PAGE = (
    '<!DOCTYPE html><html lang="{language}"><body style="font-family:sans-serif;max-width:40em">{body}</body></html>'
)
_CELL = '<td style="padding:2px 16px 2px 0">'


def letter(message: Message, claim: Claim, *, sender: str, to: str, words: Words, now: datetime) -> EmailMessage:
    """The same notification has the same Message-ID each time; all about one subject is one thread."""
    subject = one_line(message.headline)[:LONGEST_SUBJECT]
    made = EmailMessage(policy=_UNFOLDED if subject.isascii() else SMTP)
    domain = Address(addr_spec=sender).domain
    made["From"] = Address(display_name="Clearfacts", addr_spec=sender)
    made["To"] = Address(addr_spec=to)
    made["Subject"] = subject
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{claim.id}@{domain}>"
    made["References"] = f"<about.{sub('[^A-Za-z0-9._-]', '-', claim.subject)[:80]}@{domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(as_text(message, words), cte="quoted-printable")
    made.add_alternative(as_html(message, words), subtype="html", cte="quoted-printable")
    return made


def one_line(text: str) -> str:
    """Without line ends and other characters that are not shown."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def as_text(message: Message, words: Words) -> str:
    figures = "\n".join(f"{label}: {value}" for label, value in message.figures)
    parts = [message.headline, figures, *message.paragraphs, f"{message.link}: {message.url}"]
    return "\n\n".join([*filter(None, parts), f"-- \n{words.say('mail.footer')}"]) + "\n"


def as_html(message: Message, words: Words) -> str:
    rows = "".join(
        f"<tr>{_CELL}{escape(label)}</td>{_CELL}{escape(value)}</td></tr>" for label, value in message.figures
    )
    body = [
        f'<h2 style="color:{_COLOURS[message.tone]}">{escape(message.headline)}</h2>',
        f"<table>{rows}</table>" if rows else "",
        *(f"<p>{escape(paragraph)}</p>" for paragraph in message.paragraphs),
        f'<p><a href="{escape(message.url)}">{escape(message.link)}</a></p>',
        f'<p style="color:#57606a;font-size:smaller">{escape(words.say("mail.footer"))}</p>',
    ]
    return _PAGE.format(language=words.language, body="".join(body))
