"""Imported once by the server that workers are forked from: they find every profile compiled, and live in 20 ms."""

from typing import get_args

from ubl.profile import Profile
from ubl.work import warm

for profile in get_args(Profile):
    warm(profile)
