"""All that people read, in their language: the texts are in one table for each, numbers, money and dates here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from notifier.domain.words import en, fr, nl

Texts = Mapping[str, str]


class Language(StrEnum):
    NL = "nl"
    FR = "fr"
    EN = "en"


TEXTS: Mapping[Language, Texts] = {Language.NL: nl.TEXTS, Language.FR: fr.TEXTS, Language.EN: en.TEXTS}


@dataclass(frozen=True, slots=True)
class Number:
    """In a text `{n}` is the number and `{n:invoice|invoices}` the word that goes with it."""

    value: int
    words: "Words"

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        one, many = spec.split("|")
        return one if self.words.is_singular(self.value) else many

    def __str__(self) -> str:
        return self.words.number(self.value)


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    language: Language = Language.EN

    def say(self, key: str, /, **values: object) -> str:
        """The text of `key`; whole numbers are written as the language does, and bend what goes with them."""
        said = {name: Number(value, self) if isinstance(value, int) else value for name, value in values.items()}
        return TEXTS[self.language][key].format(**said)

    def has(self, family: str, name: str) -> bool:
        return f"{family}.{name}" in TEXTS[self.language]

    def name(self, family: str, name: str) -> str:
        """The text of one of a family; a name that nobody has translated yet is said as it is."""
        return TEXTS[self.language].get(f"{family}.{name}", name.replace("_", " "))

    def is_singular(self, value: int) -> bool:
        return value in {0, 1} if self.language is Language.FR else value == 1

    def number(self, value: int) -> str:
        return self._separated(f"{value:,}")

    def amount(self, currency: str, amount: Decimal) -> str:
        """Two decimals; the code of the currency stands where the language puts it."""
        figures = self._separated(f"{amount:,.2f}")
        return f"{figures}\N{NO-BREAK SPACE}{currency}" if self.language is Language.FR else f"{currency} {figures}"

    def moment(self, at: datetime, zone: ZoneInfo, *, seconds: bool = False) -> str:
        """Day and time on the clock of `zone`, with its abbreviation: `02:30` comes twice a year."""
        local = at.astimezone(zone)
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        if self.language is Language.EN:
            return f"{local:%Y-%m-%d} {clock} {local:%Z}"
        month = TEXTS[self.language][f"month.{local.month}"]
        day = "1er" if self.language is Language.FR and local.day == 1 else str(local.day)
        return self.say("moment", day=day, month=month, year=f"{local:%Y}", clock=clock, zone=f"{local:%Z}")

    def duration(self, length: timedelta) -> str:
        seconds = max(0, round(length.total_seconds()))
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        if hours:
            return self.say("hours_minutes", hours=hours, minutes=minutes)
        if minutes:
            return self.say("minutes_seconds", minutes=minutes, seconds=seconds % 60)
        return self.say("seconds", seconds=seconds)

    def _separated(self, english: str) -> str:
        """What separates thousands, and decimals."""
        marks = {Language.NL: (".", ","), Language.FR: ("\N{NARROW NO-BREAK SPACE}", ","), Language.EN: (",", ".")}
        thousands, decimals = marks[self.language]
        return re.sub("[,.]", lambda mark: thousands if mark[0] == "," else decimals, english)


ENGLISH = Words()
