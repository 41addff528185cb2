"""Signing in, and who one is."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from starlette.responses import JSONResponse

from gateway.domain.access import Permission, User
from gateway.ports import Tokens
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import Login, Profile, Token
from gateway.use_cases import Authorize, SignIn


def add_auth_routes(
    api: FastAPI, *, sign_in: SignIn, authorize: Authorize, tokens: Tokens, envelopes: Envelopes
) -> None:
    reader = Guard(authorize, Permission.PROFILE_READ)

    @api.post("/auth/login", tags=["auth"], dependencies=[Depends(json_only)])
    async def login(body: Login, caller: FromCaller) -> Envelope[Token]:
        """Exchange a username and a password for an access token."""
        grant = await sign_in(body.username, body.password.get_secret_value(), caller)
        return envelopes.success(Token(access_token=grant.access_token, expires_in=grant.expires_in))

    @api.get("/api/v1/auth/me", tags=["auth"])
    async def me(user: Annotated[User, Depends(reader)]) -> Envelope[Profile]:
        """The signed-in user and what they may do."""
        return envelopes.success(Profile.of(user))

    @api.get("/.well-known/jwks.json", tags=["auth"], response_class=JSONResponse)
    async def jwks() -> Any:
        """The public keys of our tokens, as a JWK set (RFC 7517), for others to verify with."""
        return JSONResponse(tokens.public_keys(), headers={"Cache-Control": "public, max-age=300"})
