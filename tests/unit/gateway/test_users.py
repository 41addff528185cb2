"""Users through the API, over fakes."""

from typing import Any

import httpx
import pytest

from gateway.domain.access import Role, User
from tests.unit.gateway.fakes import World, user

PATH = "/api/v1/users"
GOOD = "a long enough secret"
NEW = {"username": "bob", "email": "bob@example.test", "password": GOOD, "role": "operator"}


def admin(world: World) -> httpx.AsyncClient:
    return world.signed_in(world.users.add(user(Role.ADMIN, name="ann")))


async def create(world: World, **fields: Any) -> httpx.Response:
    return await admin(world).post(PATH, json=NEW | fields)


async def test_a_new_user_can_sign_in_and_nobody_is_shown_a_hash() -> None:
    world = World()
    answer = await create(world)
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["username"], data["role"], data["is_active"]) == ("bob", "operator", True)
    assert answer.headers["Location"] == f"{PATH}/{data['id']}"
    assert "hash" not in answer.text
    assert "hash" not in (await admin(world).get(PATH)).text
    signed = await world.http().post("/auth/login", json={"username": "bob", "password": GOOD})
    assert signed.status_code == 200


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("eleven char", "password_length"),
        ("x" * 257, "password_length"),
        ("my name is BOB, hello", "password_has_username"),
    ],
)
async def test_a_weak_password_is_refused_and_never_repeated(password: str, code: str) -> None:
    world = World()
    answer = await create(world, password=password)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["errors"][0]["code"] == code
    assert password not in answer.text
    assert "bob" not in world.users.accounts


@pytest.mark.parametrize("password", ["x" * 12, "x" * 256])
async def test_twelve_to_256_characters_are_enough(password: str) -> None:
    assert (await create(World(), password=password)).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [{"username": "b"}, {"username": "bob\n"}, {"username": " bob"}, {"email": "bob"}, {"role": "root"}, {"id": "1"}],
)
async def test_what_is_no_user_is_refused(fields: dict[str, Any]) -> None:
    assert (await create(World(), **fields)).status_code == 422


async def test_a_name_that_is_taken_is_a_conflict() -> None:
    world = World()
    await create(world)
    answer = await create(world)
    assert (answer.status_code, answer.json()["error"]["details"]) == (409, {"field": "username"})


async def test_a_role_counts_at_once_for_tokens_that_exist() -> None:
    world = World()
    bob = world.users.add(user(Role.OPERATOR, name="bob"))
    his = world.signed_in(bob)
    assert (await his.post("/api/v1/invoices/process", json={})).status_code == 202
    await change(world, bob, role="user")
    assert (await his.post("/api/v1/invoices/process", json={})).status_code == 403
    await change(world, bob, is_active=False)
    assert (await his.get("/api/v1/auth/me")).status_code == 401


async def change(world: World, whom: User, **fields: Any) -> httpx.Response:
    return await admin(world).patch(f"{PATH}/{whom.id}", json=fields)


@pytest.mark.parametrize("fields", [{"role": "operator"}, {"is_active": False}])
async def test_the_last_active_admin_stays_one(fields: dict[str, Any]) -> None:
    world = World()
    http = admin(world)
    ann = world.users.accounts["ann"].user
    world.users.add(user(Role.ADMIN, active=False, name="gone"))
    assert (await http.patch(f"{PATH}/{ann.id}", json=fields)).status_code == 409
    world.users.add(user(Role.ADMIN, name="eve"))
    assert (await http.patch(f"{PATH}/{ann.id}", json=fields)).status_code == 200


@pytest.mark.parametrize("fields", [{}, {"role": None}, {"username": "eve"}, {"is_active": "no"}])
async def test_a_change_of_nothing_or_of_a_name_is_refused(fields: dict[str, Any]) -> None:
    world = World()
    assert (await change(world, world.users.add(user()), **fields)).status_code == 422


async def test_a_new_password_is_the_only_one() -> None:
    world = World()
    bob = world.users.add(user(name="bob"), "the old password")
    answer = await admin(world).post(f"{PATH}/{bob.id}/password", json={"password": GOOD})
    assert answer.status_code == 200
    statuses = [
        (await world.http().post("/auth/login", json={"username": "bob", "password": password})).status_code
        for password in ("the old password", GOOD)
    ]
    assert statuses == [401, 200]


async def test_pages_go_on_by_name_and_belong_to_their_filter() -> None:
    world = World()
    http = admin(world)
    for name in ("dan", "bob", "cas"):
        world.users.add(user(Role.USER, name=name))
    names: list[str] = []
    query: dict[str, Any] = {"role": "user", "limit": 2}
    while True:
        page = (await http.get(PATH, params=query)).json()["data"]
        names += [item["username"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        wrong = await http.get(PATH, params={"limit": 2, "cursor": page["next_cursor"]})
        assert wrong.json()["error"]["code"] == "CURSOR_INVALID"
    assert names == ["bob", "cas", "dan"]


async def test_nobody_below_an_admin_sees_users() -> None:
    world = World()
    http = world.signed_in(world.users.add(user(Role.OPERATOR)))
    assert (await http.get(PATH)).status_code == 403


@pytest.mark.parametrize("ending", ["a new password", "disabled and enabled again"])
async def test_tokens_that_exist_end_for_good_and_new_ones_are_good(ending: str) -> None:
    world = World()
    bob = world.users.add(user(name="bob"))
    his = world.signed_in(bob)
    assert (await his.get("/api/v1/auth/me")).status_code == 200
    if ending == "a new password":
        await admin(world).post(f"{PATH}/{bob.id}/password", json={"password": GOOD})
    else:
        await change(world, bob, is_active=False)
        await change(world, bob, is_active=True)
    refused = await his.get("/api/v1/auth/me")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert (await world.signed_in(world.users.accounts["bob"].user).get("/api/v1/auth/me")).status_code == 200


async def test_what_changes_no_credential_ends_no_token() -> None:
    world = World()
    bob = world.users.add(user(Role.OPERATOR, name="bob"))
    his = world.signed_in(bob)
    await change(world, bob, role="user", email="b@example.test", is_active=True)
    assert (await his.get("/api/v1/auth/me")).json()["data"]["role"] == "user"
