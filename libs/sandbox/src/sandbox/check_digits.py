"""Belgian numbers with their check digits: ISO 7064 mod 97 in three spellings."""


def enterprise_number(stem: int) -> str:
    """Ten digits from a stem of at most eight: the last two are 97 minus the rest modulo 97 (KBO/BCE)."""
    return f"{stem:08d}{97 - stem % 97:02d}"


def is_enterprise_number(number: str) -> bool:
    return len(number) == 10 and number.isdecimal() and int(number[8:]) == 97 - int(number[:8]) % 97


def structured_communication(stem: int) -> str:
    """`+++ddd/dddd/ddddd+++` from a stem of at most ten digits: the last two are it modulo 97, 97 instead of 0."""
    digits = f"{stem:010d}{stem % 97 or 97:02d}"
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def is_structured_communication(text: str) -> bool:
    digits = text.strip("+").replace("/", "")
    return len(digits) == 12 and digits.isdecimal() and int(digits[10:]) == (int(digits[:10]) % 97 or 97)


def iban(bank: int, account: int) -> str:
    """A Belgian IBAN from a bank code of three digits and an account of seven; both kinds of check digits are right."""
    stem = bank * 10**7 + account
    national = f"{stem:010d}{stem % 97 or 97:02d}"
    return f"BE{98 - int(national + '111400') % 97:02d}{national}"  # B = 11, E = 14, then 00


def is_iban(number: str) -> bool:
    """ISO 13616: the country and check digits go to the end, letters count from 10, the rest modulo 97 is 1."""
    moved = number[4:] + number[:4]
    return moved.isalnum() and int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
