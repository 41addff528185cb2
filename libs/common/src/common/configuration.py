"""What may be changed while the system runs: one registry of typed keys. Pure.

The environment variable of a key stays its default; a value in the table `configuration` overrides it. No value here is
a secret: a key that would hold one does not belong into this list.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Value: TypeAlias = int | float | str

UNLIMITED = "unlimited"
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Kind(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    TIME = "time"
    """Hours and minutes on the schedule's clock, `07:30`."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Key:
    """`minimum` and `maximum`: of a number the value, of a text the length. `words`: what is allowed besides.

    A text that has words is one of them.

    `live`: safe to change while `service` runs; the others are shown, and changed by their environment variable and a
    restart only.
    """

    name: str
    kind: Kind
    service: str
    environment: str | None
    default: Value
    description: str
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()
    live: bool = True

    def check(self, value: Any) -> Value:
        """The value, if it is one for this key. Raises ValueError, whose text does not repeat it."""
        if isinstance(value, str) and value in self.words:
            return value
        match self.kind:
            case Kind.INTEGER | Kind.NUMBER:
                return self._number(value)
            case Kind.TIME:
                if not isinstance(value, str) or not _TIME.fullmatch(value):
                    raise ValueError("give hours and minutes, 00:00 to 23:59")
                return value
            case Kind.TEXT:
                if self.words:
                    raise ValueError(f"give one of {', '.join(self.words)}")
                most = int(self.maximum or 0)
                if not isinstance(value, str) or len(value) > most or _CONTROLS.search(value):
                    raise ValueError(f"give a text of at most {most} characters, without control characters")
                return value

    def _number(self, value: Any) -> Value:
        kinds = (int,) if self.kind is Kind.INTEGER else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if not fits or not (self.minimum or 0) <= value <= (self.maximum or 0):  # also false for NaN
            words = "".join(f', or "{word}"' for word in self.words)
            whole = "a whole number" if self.kind is Kind.INTEGER else "a number"
            raise ValueError(f"give {whole} from {self.minimum:g} to {self.maximum:g}{words}")
        return value


KEYS: Sequence[Key] = (
    Key(
        "send_rate", Kind.NUMBER, "sender", "SEND_RATE", UNLIMITED,
        "documents a second to Clearfacts, by all replicas together", 0.01, 10_000, words=(UNLIMITED,),
    ),
    Key(
        "send_concurrency", Kind.INTEGER, "sender", "SEND_CONCURRENCY", 16,
        "the most documents that one replica sends at once; the adaptive limit stays below it", 1, 512,
    ),
    Key(
        "report_at", Kind.TIME, "notifier", "REPORT_AT", "07:30",
        "when the morning report tells what is still open, in SCHEDULE_TIMEZONE",
    ),
    Key(
        "job_late_after", Kind.INTEGER, "notifier", "JOB_LATE_AFTER", 3600,
        "seconds after its listing ended that a job which is not over is told about", 60, 86_400,
    ),
    Key(
        "notify_language", Kind.TEXT, "notifier", "NOTIFY_LANGUAGE", "en",
        "the language of Slack and of every recipient without one of its own", words=("nl", "fr", "en"),
    ),
    Key(
        "quiet_from", Kind.TIME, "notifier", "QUIET_FROM", "00:00",
        "when the quiet hours begin, in SCHEDULE_TIMEZONE; the same as `quiet_until`: there are none",
    ),
    Key(
        "quiet_until", Kind.TIME, "notifier", "QUIET_UNTIL", "00:00",
        "when the quiet hours end; what was held back in them is told then, in one message",
    ),
    Key(
        "digest_at", Kind.TIME, "notifier", "DIGEST_AT", "08:00",
        "when daily and weekly digests are told, in SCHEDULE_TIMEZONE",
    ),
    Key(
        "digest_day", Kind.INTEGER, "notifier", "DIGEST_DAY", 1,
        "the day of weekly digests: 1 is Monday, 7 is Sunday", 1, 7,
    ),
    Key(
        "ui_notice", Kind.TEXT, "gateway", None, "",
        "a line that everybody who is signed in is shown, such as an announced maintenance", maximum=500,
    ),
    Key(
        "send_deadline", Kind.NUMBER, "sender", "SEND_DEADLINE", 30,
        "seconds for one call; the clocks of sending are checked against each other when the sender starts", live=False,
    ),
    Key(
        "send_lease", Kind.NUMBER, "sender", "SEND_LEASE", 90,
        "seconds that a claim is a replica's; claims that exist keep the lease they were made with", live=False,
    ),
    Key(
        "send_settle", Kind.NUMBER, "sender", "SEND_SETTLE", 180,
        "seconds until the destination has made up its mind; sender and gateway must agree on it", live=False,
    ),
    Key(
        "key_life", Kind.NUMBER, "sender", "KEY_LIFE", 86_400,
        "seconds that the destination knows an Idempotency-Key: a fact about it, not a choice of ours", live=False,
    ),
    Key(
        "key_margin", Kind.NUMBER, "sender", "KEY_MARGIN", 3600,
        "seconds before the end of a key's life after which nothing is sent again", live=False,
    ),
)  # fmt: skip

REGISTRY: Mapping[str, Key] = {key.name: key for key in KEYS}


def stored(value: Value) -> str:
    """As the table keeps it."""
    return json.dumps(value)


def read_stored(key: Key, text: str) -> Value:
    """Raises ValueError for what is not a value of this key (any more)."""
    return key.check(json.loads(text))
