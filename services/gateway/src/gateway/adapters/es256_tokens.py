"""Access tokens: ES256, `at+jwt` (RFC 9068), verified against our own keys only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol
from joserfc.jwt import JWTClaimsRegistry

from common.clock import Clock
from gateway.domain.access import Bearer, Grant, User
from gateway.domain.faults import NotSignedIn

ALGORITHM = "ES256"
TYPE = "at+jwt"
AUDIENCE = "clearfacts-api"
LONGEST_TOKEN = 4096
LEEWAY_SECONDS = 10
MOST_KNOWN = 1024
"""Tokens that were verified lately. What was signed stays signed; when it begins and ends is looked at each time."""


@dataclass(frozen=True, slots=True)
class _Known:
    bearer: Bearer
    begins: float
    ends: float


class Es256Tokens:
    """`keys`: the last one signs, all verify."""

    def __init__(self, keys: Sequence[ECKey], *, issuer: str, lifetime: timedelta, clock: Clock) -> None:
        self._keys = {key.thumbprint(): key for key in keys}
        self._signing = keys[-1]
        self._issuer = issuer
        self._lifetime = lifetime
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._claims = JWTClaimsRegistry(
            now=self._now,
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nbf={"essential": True},
            jti={"essential": True},
        )

    def issue(self, user: User) -> Grant:
        now, seconds = self._now(), int(self._lifetime.total_seconds())
        header = {"alg": ALGORITHM, "typ": TYPE, "kid": self._signing.thumbprint()}
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user.id),
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "jti": str(self._clock.new_id()),
            "role": user.role.value,
            "username": user.username,
            "ver": user.token_generation,
        }
        return Grant(jwt.encode(header, claims, self._signing, algorithms=[ALGORITHM]), seconds)

    def bearer(self, token: str) -> Bearer:
        known = self._known.get(token)
        if known is None or not known.begins - LEEWAY_SECONDS <= self._now() < known.ends + LEEWAY_SECONDS:
            self._known[token] = known = self._verified(token)
            if len(self._known) > MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return known.bearer

    def _verified(self, token: str) -> _Known:
        if len(token) > LONGEST_TOKEN:
            raise NotSignedIn("The access token is not valid")
        try:
            decoded = jwt.decode(token, self._find, algorithms=[ALGORITHM])
            if decoded.header.get("typ") != TYPE:
                raise NotSignedIn("The access token is not valid")
            claims = decoded.claims
            self._claims.validate(claims)
            bearer = Bearer(UUID(claims["sub"]), claims.get("ver", 0))
            return _Known(bearer, max(claims["nbf"], claims["iat"]), claims["exp"])
        except (JoseError, ValueError, TypeError):  # ValueError: a token that is not ASCII, a sub that is no id
            raise NotSignedIn("The access token is not valid or has expired; sign in again") from None

    def public_keys(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "alg": ALGORITHM, "use": "sig"}
                for kid, key in self._keys.items()
            ]
        }

    def _find(self, presented: GuestProtocol) -> ECKey:
        """By `kid` among our own: a token brings no key and names no address of one."""
        kid = presented.headers().get("kid")
        if not isinstance(kid, str) or kid not in self._keys:
            raise ValueError("unknown kid")
        return self._keys[kid]

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
