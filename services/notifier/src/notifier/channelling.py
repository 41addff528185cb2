"""Which channels there are, and with what they are told: read from the settings, wired for the loops."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from common.configuration import Value
from common.db.job_facts import KnownJobs
from common.db.pool import Database
from common.db.postgres_alerts import PostgresAlerts
from common.observability.spans import tracer
from notifier.adapters.postgres import PostgresNotifications
from notifier.adapters.postgres_alerts import PostgresAlertReports
from notifier.adapters.postgres_jobs import PostgresJobReports
from notifier.adapters.slack import NoMessenger, SlackMessenger
from notifier.adapters.smtp import MailServer, SmtpMessenger
from notifier.adapters.traced import TracedMessenger
from notifier.composing import Compose, Voice
from notifier.domain.channels import EMAIL, SLACK, Channel, Channels, Hours
from notifier.domain.owners import Owner, Owners
from notifier.domain.quiet_hours import QuietHours
from notifier.domain.words import Language, Words
from notifier.ports import Messenger
from notifier.settings import NotifierSettings
from notifier.telling import TellPeople, by_the_hours

LEASE_IN_TIMEOUTS = 3
Live = Callable[[], Awaitable[Mapping[str, Value]]]


def channels_of(settings: NotifierSettings) -> Channels:
    """Slack, also where it is not configured; each recipient, where there is a mail server."""
    found = [Channel(SLACK, settings.slack_at_least, settings.slack_rhythm)]
    if settings.smtp_host is not None:
        found += [
            Channel(f"{EMAIL}:{name}", one.at_least, one.rhythm, one.what, one.language)
            for name, one in settings.email_recipients.items()
        ]
    return {channel.name: channel for channel in found}


def owners_of(settings: NotifierSettings) -> Owners:
    return Owners([Owner(one.name, one.prefixes, one.channels) for one in settings.alert_owners])


def live_hours(settings: NotifierSettings, live: Live) -> Callable[[], Awaitable[Hours]]:
    """What the table says, and where it says nothing the environment."""
    zone = ZoneInfo(settings.schedule_timezone)

    async def hours() -> Hours:
        values = await live()

        def at(key: str, usual: time) -> time:
            return time.fromisoformat(str(values[key])) if key in values else usual

        return Hours(
            zone,
            QuietHours(at("quiet_from", settings.quiet_from), at("quiet_until", settings.quiet_until), zone),
            at("digest_at", settings.digest_at),
            int(values.get("digest_day", settings.digest_day)) - 1,
            Language(str(values.get("notify_language", settings.notify_language))),
        )

    return hours


def voice_of(channels: Channels, hours: Callable[[], Awaitable[Hours]]) -> Voice:
    """The language of a channel, or that of the configuration."""

    async def voice(channel: str) -> Words:
        own = channels[channel].language
        return Words(own or (await hours()).language)

    return voice


def slack_of(settings: NotifierSettings) -> Messenger:
    url = _secret(settings.slack_webhook_url)
    return NoMessenger() if url is None else SlackMessenger(url, timeout=timedelta(seconds=settings.slack_timeout))


def mail_of(settings: NotifierSettings, host: str, voice: Voice) -> Messenger:
    server = MailServer(
        host,
        settings.smtp_port,
        settings.smtp_security,
        timedelta(seconds=settings.smtp_timeout),
        settings.smtp_username,
        _secret(settings.smtp_password),
        str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
    )
    addresses = {f"{EMAIL}:{name}": one.address for name, one in settings.email_recipients.items()}
    return SmtpMessenger(server, sender=settings.email_from or "", addresses=addresses, words=voice)


def telling(
    settings: NotifierSettings,
    database: Database,
    channels: Channels,
    owners: Owners,
    hours: Callable[[], Awaitable[Hours]],
) -> Sequence[TellPeople]:
    """One for Slack and one for the mail server: neither waits for the other."""
    voice = voice_of(channels, hours)

    def teller(names: Sequence[str], messenger: Messenger, seconds: float) -> TellPeople:
        notifications, timeout = PostgresNotifications(database, names), timedelta(seconds=seconds)
        compose = Compose(
            PostgresJobReports(database),
            PostgresAlertReports(database),
            public_url=settings.public_url,
            zone=ZoneInfo(settings.schedule_timezone),
            owners=owners,
            voice=voice,
            held=notifications.held,
        )
        return TellPeople(
            notifications,
            compose,
            TracedMessenger(messenger, KnownJobs(database)) if tracer.on else messenger,
            lease=timeout * LEASE_IN_TIMEOUTS,
            post_timeout=timeout,
            decide=by_the_hours(channels, hours),
            alerts=PostgresAlerts(database, "warning"),
        )

    tellers = [teller([SLACK], slack_of(settings), settings.slack_timeout)]
    if settings.smtp_host is not None:
        names = [name for name in channels if name != SLACK]
        tellers.append(teller(names, mail_of(settings, settings.smtp_host, voice), settings.smtp_timeout))
    return tellers


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
