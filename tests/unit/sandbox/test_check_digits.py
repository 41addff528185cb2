from hypothesis import given
from hypothesis import strategies as st

from sandbox.check_digits import (
    enterprise_number,
    iban,
    is_enterprise_number,
    is_iban,
    is_structured_communication,
    structured_communication,
)
from sandbox.invoices import ADMINISTRATIONS, COUNTERPARTIES


@given(st.integers(0, 10**8 - 1))
def test_an_enterprise_number_has_the_check_digits_of_the_kbo(stem: int) -> None:
    number = enterprise_number(stem)
    assert is_enterprise_number(number)
    assert (int(number[:8]) + int(number[8:])) % 97 == 0


@given(st.integers(0, 10**8 - 1), st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_in_an_enterprise_number_is_found(stem: int, place: int, more: int) -> None:
    number = enterprise_number(stem)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert not is_enterprise_number(wrong)


@given(st.integers(0, 10**10 - 1))
def test_a_structured_communication_has_its_shape_and_check_digits(stem: int) -> None:
    text = structured_communication(stem)
    assert (text[:3], text[6], text[11], text[-3:]) == ("+++", "/", "/", "+++")
    assert is_structured_communication(text)


@given(st.integers(0, 999), st.integers(0, 10**7 - 1))
def test_an_iban_has_both_kinds_of_check_digits(bank: int, account: int) -> None:
    number = iban(bank, account)
    assert len(number) == 16
    assert is_iban(number)
    assert int(number[14:]) == (int(number[4:14]) % 97 or 97)


def test_published_numbers_pass_and_altered_ones_do_not() -> None:
    assert is_iban("BE68539007547034")
    assert not is_iban("BE68539007547035")
    assert is_structured_communication("+++010/8068/17183+++")
    assert not is_structured_communication("+++010/8068/17184+++")
    assert is_enterprise_number("0123456749")


def test_no_two_companies_share_a_number_and_every_number_and_account_is_right() -> None:
    companies = [*ADMINISTRATIONS, *COUNTERPARTIES]
    assert len({company.number for company in companies}) == len(companies)
    assert all(is_enterprise_number(company.number) and is_iban(company.iban) for company in companies)
