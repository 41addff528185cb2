import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubl.numbers import belgian_digits, identifier_key, is_enterprise_number, number_key, structured_communication


@pytest.mark.parametrize(
    "spelling",
    [
        "BE0123456749",
        "0123456749",
        "0123.456.749",
        "be 0123.456.749",
        " BE 0123 456 749 ",
        "BE-0123-456-749",
        "BE123456749",
    ],
)
def test_all_spellings_of_a_belgian_number_are_one(spelling: str) -> None:
    assert identifier_key(spelling) == "0123456749"


def test_a_number_with_nine_digits_is_an_old_belgian_one_only_where_it_says_so() -> None:
    assert identifier_key("123456749") == "123456749"
    assert belgian_digits("123456749") == "0123456749"


@pytest.mark.parametrize("other", ["BE", "BE12345678", "BE2123456749", "BE01234567490", "NL123456789B01", "5532331183"])
def test_other_numbers_have_no_belgian_digits(other: str) -> None:
    assert belgian_digits(other) is None


def test_a_foreign_number_is_its_letters_and_digits_in_upper_case() -> None:
    assert identifier_key("nl 8200.98.395/b-01") == "NL820098395B01"


@pytest.mark.parametrize("nothing", ["", " ", "-./_"])
def test_an_identifier_without_letters_and_digits_is_none(nothing: str) -> None:
    assert identifier_key(nothing) is None


@pytest.mark.parametrize("number", ["0123456749", "1000000021", "0403170701"])
def test_right_check_digits(number: str) -> None:
    assert is_enterprise_number(number)


@pytest.mark.parametrize(
    "number",
    ["0123456748", "123456749", "01234567490", "2123456749", "", "012345674x", "\u0660123456749", "\u00b2123456749"],
)
def test_wrong_check_digits_length_or_characters(number: str) -> None:
    assert not is_enterprise_number(number)


@given(st.integers(1_000_000, 19_999_999), st.integers(0, 99))
def test_exactly_one_pair_of_check_digits_is_right(first: int, check: int) -> None:
    assert is_enterprise_number(f"{first:08}{check:02}") == (check == 97 - first % 97)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("INV-2024-001", "inv-2024-001"),
        ("  2024 \t 001\n", "2024 001"),
        ("\uff10001", "0001"),
        ("Straße 1", "strasse 1"),
        ("000", "000"),
        ("ﬁ1", "fi1"),
    ],
)
def test_document_numbers_are_folded_and_keep_their_zeros(number: str, key: str) -> None:
    assert number_key(number) == key


@given(st.text(max_size=30))
def test_folding_a_document_number_twice_changes_nothing(number: str) -> None:
    assert number_key(number_key(number)) == number_key(number)


@given(st.text(string.ascii_letters + string.digits + "-/", min_size=1, max_size=20), st.text(" \t\n", max_size=3))
def test_case_and_outer_blanks_do_not_matter(number: str, blank: str) -> None:
    assert number_key(blank + number.upper() + blank) == number_key(number.lower())


@given(st.text(string.digits, min_size=1, max_size=12), st.text(string.digits, min_size=1, max_size=12))
def test_different_digits_are_different_numbers(one: str, other: str) -> None:
    assert (number_key(one) == number_key(other)) == (one == other)


@given(st.text(max_size=30))
def test_an_identifier_key_is_its_own_key(identifier: str) -> None:
    key = identifier_key(identifier)
    assert key is None or identifier_key(key) == key


@given(
    st.text(string.digits, min_size=9, max_size=9), st.lists(st.integers(0, 10), max_size=4), st.sampled_from(" .-/")
)
def test_separators_do_not_matter(digits: str, places: list[int], separator: str) -> None:
    spelt = "BE0" + digits
    for place in places:
        spelt = spelt[:place] + separator + spelt[place:]
    assert identifier_key(spelt) == "0" + digits


@pytest.mark.parametrize(
    "reference",
    ["+++090/9337/55493+++", "***090/9337/55493***", "090933755493", "090/9337/55493", " +++ 090/9337/55493 +++ "],
)
def test_a_structured_communication_is_written_as_it_is_printed(reference: str) -> None:
    assert structured_communication(reference) == "+++090/9337/55493+++"


@pytest.mark.parametrize(
    "reference",
    ["+++090/9337/55494+++", "+++090/9337/55493", "RF18539007547034", "090933755", "", "+++090/9337/55493***"],
)
def test_another_reference_is_no_structured_communication(reference: str) -> None:
    assert structured_communication(reference) is None


def test_a_remainder_of_nothing_is_written_as_97() -> None:
    assert structured_communication("000000009797") == "+++000/0000/09797+++"
    assert structured_communication("000000009700") is None
