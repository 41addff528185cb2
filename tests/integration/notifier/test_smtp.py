"""The mail adapter against the sandbox's receiver: every way a mail can end, and what arrives."""

import ipaddress
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.clock import Clock
from notifier.adapters.smtp import SILENCE, MailServer, Security, SmtpMessenger
from notifier.domain.message import Message, Tone
from notifier.domain.notification import Claim, Delivered, Delivery, Kind, NotDelivered, Refused
from notifier.domain.words import Language, Words
from sandbox.faults import Behaviour, Effect, Rule
from sandbox.mail import Mail

pytestmark = pytest.mark.enable_socket

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANN = "email:ann"
CLAIM = Claim(UUID(int=1), UUID(int=2), Kind.JOB_FINISHED, str(UUID(int=3)), 1, NOON, "end", ANN)
MESSAGE = Message(
    Tone.BAD, "Mislukt: <b>5</b> €", (("Verzonden", "4 & meer"),), ("Reden:\r\n<x>.",), "http://g/jobs/3", NOON, "Open"
)
SECRET = "smtp-password-of-the-test"


def messenger(
    port: int, *, timeout: float = 4.0, security: Security = "none", password: str | None = None, ca: Path | None = None
) -> SmtpMessenger:
    async def dutch(_: str) -> Words:
        return Words(Language.NL)

    server = MailServer(
        "localhost", port, security, timedelta(seconds=timeout), "us" if password else None, password, ca and str(ca)
    )
    addresses = {ANN: "ann@people.test"}
    return SmtpMessenger(server, sender="from@us.test", addresses=addresses, words=dutch, clock=Clock(now=lambda: NOON))


@asynccontextmanager
async def receiving(folder: Path, *rules: Rule, **options: Any) -> AsyncGenerator[tuple[Mail, int]]:
    mail = Mail(folder / "mail.jsonl", behaviour=Behaviour(rules=rules), **options)
    server = await mail.serve(host="localhost")
    try:
        yield mail, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        mail.close()


@pytest.mark.parametrize(
    ("effect", "stored", "ending"),
    [
        (None, 1, Delivered()),
        (Effect.SLOW, 1, Delivered()),
        (Effect.REFUSE, 0, Refused("the recipient was refused: 550 5.1.1")),
        (Effect.FORBIDDEN, 0, NotDelivered("the recipient was not taken: 530 5.7.0")),
        (Effect.TOO_MANY, 0, NotDelivered("the recipient was not taken: 451 4.7.1")),
        (Effect.UNAVAILABLE, 0, NotDelivered("the recipient was not taken: 421 4.3.2", SILENCE)),
        (Effect.SERVER_ERROR, 0, NotDelivered("the message was refused: 554 5.3.0")),
        (Effect.TOO_LARGE, 0, NotDelivered("the message was refused: 552 5.3.4")),
        (Effect.BAD_GATEWAY, 0, NotDelivered("the message was refused: 451 4.3.0")),
        (Effect.RESET_BEFORE, 0, NotDelivered("no answer: SMTPServerDisconnected")),
        (Effect.RESET_AFTER, 1, NotDelivered("no answer: SMTPServerDisconnected")),
        (Effect.HANG_BEFORE, 0, NotDelivered("no answer: TimeoutError")),
        (Effect.HANG_AFTER, 1, NotDelivered("no answer: TimeoutError")),
    ],
    ids=lambda value: value.value if isinstance(value, Effect) else "",
)
async def test_only_a_message_that_was_taken_is_delivered(
    tmp_path: Path, effect: Effect | None, stored: int, ending: Delivery
) -> None:
    rules = (Rule(effect=effect, seconds=0.1 if effect is Effect.SLOW else 0),) if effect else ()
    async with receiving(tmp_path, *rules) as (mail, port):
        hangs = effect in {Effect.HANG_BEFORE, Effect.HANG_AFTER}
        outcome = await messenger(port, timeout=0.6 if hangs else 4).post(MESSAGE, CLAIM)
        assert outcome == ending
        assert "people.test" not in str(outcome)
        assert len(mail.messages()) == stored


async def test_a_server_that_is_not_there_is_another_thing_than_a_recipient_who_is_not(tmp_path: Path) -> None:
    async with receiving(tmp_path) as (_, port):
        pass
    outcome = await messenger(port, timeout=2).post(MESSAGE, CLAIM)
    assert outcome == NotDelivered("no connection: SMTPConnectError", SILENCE)


async def test_a_mail_that_comes_twice_is_the_same_mail_in_the_thread_of_its_subject(tmp_path: Path) -> None:
    async with receiving(tmp_path, Rule(effect=Effect.RESET_AFTER, next=1)) as (mail, port):
        us = messenger(port)
        assert isinstance(await us.post(MESSAGE, CLAIM), NotDelivered)
        assert await us.post(MESSAGE, replace(CLAIM, token=UUID(int=9), attempt=2)) == Delivered()
        assert await us.post(MESSAGE, replace(CLAIM, id=UUID(int=7))) == Delivered()
        ids = [stored["message_id"] for stored in mail.messages()]
        assert ids == [f"<{UUID(int=1)}@us.test>", f"<{UUID(int=1)}@us.test>", f"<{UUID(int=7)}@us.test>"]
        threads = {headers(stored)["References"] for stored in mail.messages()}
        assert threads == {f"<about.{UUID(int=3)}@us.test>"}


def headers(stored: Mapping[str, Any]) -> Mapping[str, str]:
    made = message_from_string(str(stored["raw"]), policy=policy.default)
    return {name: str(value) for name, value in made.items()}


async def test_a_mail_has_a_text_and_a_page_that_say_the_same_and_run_nothing(tmp_path: Path) -> None:
    async with receiving(tmp_path) as (mail, port):
        await messenger(port).post(MESSAGE, CLAIM)
        stored = mail.messages()[0]
    assert (stored["from"], stored["to"]) == ("from@us.test", ["ann@people.test"])
    assert stored["subject"] == "Mislukt: <b>5</b> €"
    made = message_from_string(stored["raw"], policy=policy.default)
    page = made.get_body(("html",))
    assert page
    html = page.get_content()
    assert 'lang="nl"' in html
    for said in ("Mislukt: &lt;b&gt;5&lt;/b&gt; €", "4 &amp; meer", "&lt;x&gt;", 'href="http://g/jobs/3"'):
        assert said in html
    for said in ("Mislukt: <b>5</b> €", "Verzonden: 4 & meer", "<x>.", "Open: http://g/jobs/3"):
        assert said in stored["text"]
    assert headers(stored)["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("subject", ["word " * 29 + "word", "é" * 150, "x" * 150, "terminé : " * 14 + "!"])
async def test_a_long_subject_arrives_as_it_is(tmp_path: Path, subject: str) -> None:
    async with receiving(tmp_path) as (mail, port):
        await messenger(port).post(replace(MESSAGE, headline=subject), CLAIM)
        (stored,) = mail.messages()
    assert stored["subject"] == subject
    assert max(len(line) for line in stored["raw"].splitlines()) < 200


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x00"])
async def test_nothing_that_is_said_can_become_a_header_or_a_command(tmp_path: Path, line_end: str) -> None:
    evil = f"run{line_end}Bcc: x@y.test{line_end}.{line_end}RCPT TO:<x@y.test>"
    claim = replace(CLAIM, subject=evil)
    async with receiving(tmp_path) as (mail, port):
        assert await messenger(port).post(replace(MESSAGE, headline=evil, paragraphs=(evil,)), claim) == Delivered()
        (stored,) = mail.messages()
    assert stored["to"] == ["ann@people.test"]
    assert "Bcc" not in headers(stored)
    assert stored["subject"] == "run Bcc: x@y.test . RCPT TO:<x@y.test>"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """For localhost, signed by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)  # noqa: TID251 - TLS looks at the real clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, secret)
    return cert, context


async def test_with_starttls_the_password_opens_and_is_in_no_log(
    tmp_path: Path, certificate: tuple[Path, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    ca, context = certificate
    with caplog.at_level(logging.DEBUG):
        async with receiving(tmp_path, tls=context, password=SECRET) as (mail, port):
            logging.getLogger("mail").setLevel(logging.CRITICAL)  # the receiver's own log would tell it
            right = await messenger(port, security="starttls", password=SECRET, ca=ca).post(MESSAGE, CLAIM)
            assert right == Delivered()
            wrong = await messenger(port, security="starttls", password="wrong", ca=ca).post(MESSAGE, CLAIM)
            assert wrong == NotDelivered("the login was refused: 535 5.7.8", SILENCE)
            assert len(mail.messages()) == 1
    assert SECRET not in caplog.text
    server = MailServer("localhost", 25, "tls", timedelta(1), "us", SECRET)
    assert SECRET not in repr(server), "a repr is what a log of an error shows"


@pytest.mark.parametrize("offered", ["no TLS", "a certificate of nobody"])
async def test_without_tls_or_trust_nothing_is_said(
    tmp_path: Path, certificate: tuple[Path, ssl.SSLContext], offered: str
) -> None:
    """A server that offers no STARTTLS, and one that nobody vouches for."""
    options = {} if offered == "no TLS" else {"tls": certificate[1]}
    async with receiving(tmp_path, **options) as (mail, port):
        outcome = await messenger(port, security="starttls", ca=None).post(MESSAGE, CLAIM)
        assert isinstance(outcome, NotDelivered)
        assert outcome.retry_after == SILENCE
        assert mail.messages() == []


async def test_tls_from_the_first_byte(tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]) -> None:
    ca, context = certificate
    mail = Mail(tmp_path / "mail.jsonl")
    server = await mail.serve(host="localhost", at_once=context)
    try:
        port = server.sockets[0].getsockname()[1]
        assert await messenger(port, security="tls", ca=ca).post(MESSAGE, CLAIM) == Delivered()
        assert len(mail.messages()) == 1
    finally:
        server.close()
        mail.close()
