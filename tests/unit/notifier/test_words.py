"""Every message exists in each language, says the same things, and writes numbers and dates as people there do."""

import re
import string
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from notifier.domain.message import Tone
from notifier.domain.wording import write
from notifier.domain.words import ENGLISH, TEXTS, Language, Words
from tests.architecture.source import ROOT, strings
from tests.unit.notifier.test_wording import MIXED

BRUSSELS = ZoneInfo("Europe/Brussels")
NL, FR = Words(Language.NL), Words(Language.FR)
KEY = re.compile(r"[a-z_]+(?:\.[a-z0-9_]+)+")


def placeholders(text: str) -> set[str]:
    """The names of all values, also of those that a text uses for the form of a word only."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def forms(text: str) -> list[str]:
    return [spec for _, _, spec, _ in string.Formatter().parse(text) if spec]


def named_in_the_code() -> set[str]:
    """Every string of the notifier's source that looks like the key of a text."""
    files = sorted((ROOT / "services/notifier/src/notifier").rglob("*.py"))
    written = {text for path in files if "words" not in path.parts for _, text in strings(path)}
    return {text for text in written if KEY.fullmatch(text) and text.partition(".")[0] in FAMILIES}


FAMILIES = {key.partition(".")[0] for key in TEXTS[Language.EN]}


@pytest.mark.parametrize("language", Language)
def test_each_text_exists_in_each_language_with_the_same_placeholders(language: Language) -> None:
    mine, english = TEXTS[language], TEXTS[Language.EN]
    assert set(mine) == set(english)
    assert {key: placeholders(text) for key, text in mine.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


@pytest.mark.parametrize("language", Language)
def test_a_word_that_bends_has_one_form_for_one_and_one_for_many(language: Language) -> None:
    specs = {key: forms(text) for key, text in TEXTS[language].items()}
    assert [key for key, found in specs.items() for spec in found if len(spec.split("|")) != 2] == []


def test_every_text_that_the_code_asks_for_exists() -> None:
    asked = named_in_the_code()
    assert len(asked) > 40
    assert asked <= set(TEXTS[Language.EN])


def test_no_text_is_left_over() -> None:
    """Those of families that are asked for by a name that comes from elsewhere are never left over."""
    families = ("reason.", "waits.", "kind.", "month.", "label.", "severity.", "digest.", "alert.")
    asked = named_in_the_code() | {"moment", "hours_minutes", "minutes_seconds", "seconds", "changed", "owner"}
    left = {key for key in TEXTS[Language.EN] if not key.startswith(families)} - asked
    assert left == set()


@pytest.mark.parametrize("language", Language)
def test_the_same_job_is_told_in_each_language(language: Language) -> None:
    message = write(MIXED, "http://gateway", Words(language))
    english = write(MIXED, "http://gateway")
    assert (message.tone, message.url, len(message.paragraphs)) == (Tone.ATTENTION, english.url, 4)
    assert (message.headline == english.headline) == (language is Language.EN)
    assert "LOCAL-TOTAL-01" in message.paragraphs[2]


def test_amounts_and_numbers_are_written_as_the_language_does() -> None:
    amount = Decimal("1234567.8")
    assert ENGLISH.amount("EUR", amount) == "EUR 1,234,567.80"
    assert NL.amount("EUR", amount) == "EUR 1.234.567,80"
    assert FR.amount("EUR", amount) == "1\u202f234\u202f567,80\u00a0EUR"
    assert [words.number(1234) for words in (ENGLISH, NL, FR)] == ["1,234", "1.234", "1\u202f234"]
    assert NL.amount("EUR", Decimal("-0.5")) == "EUR -0,50"


def test_moments_are_written_as_the_language_does_on_the_local_clock() -> None:
    at = datetime(2026, 8, 1, 12, 5, tzinfo=UTC)
    assert ENGLISH.moment(at, BRUSSELS) == "2026-08-01 14:05 CEST"
    assert NL.moment(at, BRUSSELS) == "1 augustus 2026 om 14:05 (CEST)"
    assert FR.moment(at, BRUSSELS, seconds=True) == "1er août 2026 à 14:05:00 (CEST)"
    assert NL.duration(timedelta(hours=2, minutes=3)) == "2 u 3 min"


@pytest.mark.parametrize(
    ("words", "one", "none"),
    [
        (ENGLISH, "1 message from the quiet hours", "0 messages from the quiet hours"),
        (NL, "1 bericht uit de stille uren", "0 berichten uit de stille uren"),
        (FR, "1 message des heures calmes", "0 message des heures calmes"),
    ],
)
def test_words_bend_with_their_number(words: Words, one: str, none: str) -> None:
    assert [words.say("digest.quiet", n=count) for count in (1, 0)] == [one, none]


def test_what_is_put_into_a_text_is_never_read_as_one() -> None:
    assert ENGLISH.say("job.reason", text="{n} {0} {text.__class__}") == "Reason: {n} {0} {text.__class__}"


def test_a_name_that_nobody_has_translated_is_said_as_it_is() -> None:
    assert [words.name("kind", "disk_almost_full") for words in (NL, FR)] == ["disk almost full"] * 2
