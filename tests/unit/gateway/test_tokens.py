"""Tokens: only what we signed, for us, of our kind, and not expired."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.adapters import es256_tokens
from gateway.domain.access import Bearer
from gateway.domain.faults import NotSignedIn
from tests.unit.gateway.fakes import ISSUER, KEY, NOON, OwnedTime, World, user

THEIRS = ECKey.generate_key("P-256")
NOW = int(NOON.timestamp())


def claims(**changed: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER,
        "aud": "clearfacts-api",
        "sub": str(uuid4()),
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 60,
        "jti": "one",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def header(**changed: Any) -> dict[str, Any]:
    usual = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.thumbprint()}
    return {name: value for name, value in (usual | changed).items() if value is not None}


def signed(head: dict[str, Any], body: dict[str, Any], key: Any = KEY) -> str:
    return jwt.encode(head, body, key, algorithms=[head["alg"]], default_type=None)


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unsigned() -> str:
    return f"{part(header(alg='none'))}.{part(claims())}."


def signed_with_our_public_key() -> str:
    signing_input = f"{part(header(alg='HS256'))}.{part(claims())}"
    mac = hmac.new(KEY.as_pem(private=False), signing_input.encode(), sha256).digest()
    return f"{signing_input}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def changed_after_signing() -> str:
    head, _, signature = signed(header(), claims()).split(".")
    return f"{head}.{part(claims(sub=str(uuid4())))}.{signature}"


ATTACKS: dict[str, Callable[[], str]] = {
    "unsigned": unsigned,
    "our public key as a shared secret": signed_with_our_public_key,
    "another claim after signing": changed_after_signing,
    "a key of theirs under our kid": lambda: signed(header(), claims(), THEIRS),
    "a key of theirs under its own kid": lambda: signed(header(kid=THEIRS.thumbprint()), claims(), THEIRS),
    "a key of theirs inside": lambda: signed(header(jwk=THEIRS.as_dict(private=False)), claims(), THEIRS),
    "no kid": lambda: signed(header(kid=None), claims()),
    "another type": lambda: signed(header(typ="refresh+jwt"), claims()),
    "no type": lambda: signed(header(typ=None), claims()),
    "another audience": lambda: signed(header(), claims(aud="other-api")),
    "no audience": lambda: signed(header(), claims(aud=None)),
    "another issuer": lambda: signed(header(), claims(iss="https://evil.test")),
    "no issuer": lambda: signed(header(), claims(iss=None)),
    "expired": lambda: signed(header(), claims(exp=NOW - 60)),
    "no expiry": lambda: signed(header(), claims(exp=None)),
    "not yet valid": lambda: signed(header(), claims(nbf=NOW + 60)),
    "issued in the future": lambda: signed(header(), claims(iat=NOW + 60)),
    "no jti": lambda: signed(header(), claims(jti=None)),
    "a subject that is no id": lambda: signed(header(), claims(sub="admin")),
    "no subject": lambda: signed(header(), claims(sub=None)),
    "too long": lambda: signed(header(), claims(pad="x" * 5000)),
    "empty": lambda: "",
    "two parts": lambda: "a.b",
    "not ascii": lambda: "\u00e9.\u00e9.\u00e9",
    "no json": lambda: "e30.bm8.bm8",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_token_that_proves_nothing_is_refused(attack: str) -> None:
    with pytest.raises(NotSignedIn):
        World().tokens().bearer(ATTACKS[attack]())


def test_the_token_that_the_attacks_change_is_itself_accepted() -> None:
    body = claims()
    assert str(World().tokens().bearer(signed(header(), body)).user_id) == body["sub"]


def test_a_token_names_its_user_until_it_expires() -> None:
    time = OwnedTime()
    tokens, someone = World(time=time).tokens(timedelta(minutes=10)), user()
    grant = tokens.issue(someone)
    time.seconds = 600 - 1
    assert tokens.bearer(grant.access_token) == Bearer(someone.id, 0)
    time.seconds = 600 + 11
    with pytest.raises(NotSignedIn):
        tokens.bearer(grant.access_token)


def test_a_token_that_was_accepted_vouches_for_no_other_with_its_signature() -> None:
    tokens, ours = World().tokens(), signed(header(), claims())
    tokens.bearer(ours)
    head, _, signature = ours.split(".")
    with pytest.raises(NotSignedIn):
        tokens.bearer(f"{head}.{part(claims(sub=str(uuid4())))}.{signature}")


def test_a_token_that_begins_later_is_not_remembered_as_good() -> None:
    time = OwnedTime()
    tokens, early = World(time=time).tokens(), signed(header(), claims(nbf=NOW + 60, exp=NOW + 120))
    with pytest.raises(NotSignedIn):
        tokens.bearer(early)
    time.seconds = 60
    assert tokens.bearer(early)
    time.seconds = 0
    with pytest.raises(NotSignedIn):
        tokens.bearer(early)


def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(es256_tokens, "MOST_KNOWN", 2)
    tokens = World().tokens()
    bodies = [claims() for _ in range(4)]
    for body in [*bodies, *bodies]:
        assert str(tokens.bearer(signed(header(), body)).user_id) == body["sub"]
    assert len(tokens._known) == 2  # pyright: ignore[reportPrivateUsage]


def test_an_access_token_says_what_it_is() -> None:
    someone = user()
    grant = World().tokens().issue(someone)
    decoded = jwt.decode(grant.access_token, KEY, algorithms=["ES256"])
    assert decoded.header == header()
    assert decoded.claims.keys() == {"iss", "aud", "sub", "iat", "nbf", "exp", "jti", "role", "username", "ver"}
    assert decoded.claims["exp"] - decoded.claims["iat"] == grant.expires_in == 3600


async def test_the_published_keys_verify_our_tokens_and_hold_no_secret() -> None:
    world = World()
    keys = (await world.http().get("/.well-known/jwks.json")).json()["keys"]
    assert [key.keys() & {"d", "k"} for key in keys] == [set()]
    assert jwt.decode(world.tokens().issue(user()).access_token, ECKey.import_key(keys[0]), algorithms=["ES256"])


def test_a_token_belongs_to_a_generation_and_one_from_before_there_were_any_to_the_first() -> None:
    tokens, someone = World().tokens(), replace(user(), token_generation=3)
    assert tokens.bearer(tokens.issue(someone).access_token) == Bearer(someone.id, 3)
    assert tokens.bearer(signed(header(), claims())).generation == 0
