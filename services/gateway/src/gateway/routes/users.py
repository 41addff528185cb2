"""Users: who may sign in and do what. For admins."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Response
from pydantic import Field, SecretStr, StrictBool, StringConstraints, model_validator

from gateway.admin.users import ManageUsers
from gateway.domain.access import Permission, Role, User
from gateway.domain.readings import Page
from gateway.domain.users import By, NewUser, UserChange, UserFilter, UserReading
from gateway.routes.envelopes import Envelope, Envelopes
from gateway.routes.guard import FromCaller, Guard, json_only
from gateway.routes.schemas import Paging, Sent
from gateway.use_cases import Authorize

Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{2,199}$")]
Email = Annotated[
    str, StringConstraints(max_length=255, pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$")
]
Password = Annotated[
    SecretStr,
    Field(
        max_length=1024,  # of what is looked at at all; the rule is the domain's
        description="12 to 256 characters, without the username",
        json_schema_extra={"minLength": 12, "maxLength": 256},
    ),
]


class UserQuery(Paging):
    role: Role | None = None
    is_active: bool | None = None

    def chosen(self) -> UserFilter:
        return UserFilter(self.role, self.is_active)


class CreateUserRequest(Sent):
    username: Username
    email: Email
    password: Password
    role: Role = Role.USER

    def new(self) -> NewUser:
        return NewUser(self.username, self.email, self.role)


class ChangeUserRequest(Sent):
    role: Role | None = None
    email: Email | None = None
    is_active: StrictBool | None = Field(default=None, description="false: may not sign in, and is out at once")

    @model_validator(mode="after")
    def _changes_something(self) -> "ChangeUserRequest":
        if self.role is None and self.email is None and self.is_active is None:
            raise ValueError("give role, email or is_active")
        return self

    def change(self) -> UserChange:
        return UserChange(self.role, self.email, self.is_active)


class PasswordRequest(Sent):
    password: Password


def add_user_routes(api: FastAPI, *, manage: ManageUsers, authorize: Authorize, envelopes: Envelopes) -> None:
    reader = Depends(Guard(authorize, Permission.USERS_READ))
    writer = Guard(authorize, Permission.USERS_WRITE)

    @api.get("/api/v1/users", tags=["users"], name="list", dependencies=[reader])
    async def users(query: Annotated[UserQuery, Query()]) -> Envelope[Page[UserReading]]:
        """Users by name."""
        return envelopes.success(await manage.page(query.chosen(), cursor=query.cursor, limit=query.limit))

    @api.get("/api/v1/users/{user_id}", tags=["users"], name="get", dependencies=[reader])
    async def one(user_id: UUID) -> Envelope[UserReading]:
        """One user."""
        return envelopes.success(await manage.one(user_id))

    @api.post("/api/v1/users", tags=["users"], status_code=201, dependencies=[Depends(json_only)])
    async def create(
        user: Annotated[User, Depends(writer)], caller: FromCaller, response: Response, body: CreateUserRequest
    ) -> Envelope[UserReading]:
        """A new user; 409 where the name or the address is taken."""
        created = await manage.create(body.new(), body.password.get_secret_value(), By(user, caller))
        response.headers["Location"] = f"/api/v1/users/{created.id}"
        return envelopes.success(created)

    @api.patch("/api/v1/users/{user_id}", tags=["users"], dependencies=[Depends(json_only)])
    async def change(
        user_id: UUID, user: Annotated[User, Depends(writer)], caller: FromCaller, body: ChangeUserRequest
    ) -> Envelope[UserReading]:
        """Change role, address or whether they may sign in, from the next request on; 409 for the last active admin."""
        return envelopes.success(await manage.change(user_id, body.change(), By(user, caller)))

    @api.post("/api/v1/users/{user_id}/password", tags=["users"], dependencies=[Depends(json_only)])
    async def password(
        user_id: UUID, user: Annotated[User, Depends(writer)], caller: FromCaller, body: PasswordRequest
    ) -> Envelope[UserReading]:
        """Give a user a new password; tokens that exist end, live streams and files under way within seconds."""
        return envelopes.success(await manage.set_password(user_id, body.password.get_secret_value(), By(user, caller)))
