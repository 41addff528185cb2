"""Users on the real PostgreSQL: there is always an admin, and every change is audited or does not happen."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from common.db.pool import Database
from gateway.adapters import postgres_users
from gateway.adapters.postgres_user_accounts import PostgresUserAccounts
from gateway.adapters.postgres_users import LATELY, PostgresUsers
from gateway.domain.access import Caller, Role, User
from gateway.domain.faults import NotAllowedNow, NotFound, NotPermitted
from gateway.domain.users import By, NewUser, UserChange
from tests.integration.gateway.world import RealWorld
from tests.unit.gateway.fakes import OwnedTime

pytestmark = pytest.mark.stack

PATH = "/api/v1/users"
CALLER = Caller("192.0.2.7", "test", "follow-me-1")


async def someone(database: Database, by: By, name: str, role: Role = Role.ADMIN) -> User:
    made = await PostgresUserAccounts(database).create(NewUser(name, f"{name}@example.test", role), "hash", by)
    return User(made.id, made.username, made.email, made.role, made.is_active)


async def admins(database: Database) -> int:
    return await database.fetchval("SELECT count(*) FROM users WHERE role = 'admin' AND is_active")


@pytest.mark.parametrize("change", [UserChange(role=Role.USER), UserChange(is_active=False)])
async def test_two_admins_who_end_each_other_at_once_leave_one(database: Database, change: UserChange) -> None:
    users, first = PostgresUserAccounts(database), By(await RealWorld(database).admin(), CALLER)
    second = By(await someone(database, first, "second"), CALLER)
    for _ in range(10):
        done = await asyncio.gather(
            users.change(second.user.id, change, first), users.change(first.user.id, change, second),
            return_exceptions=True,
        )  # fmt: skip
        refused = [one for one in done if isinstance(one, BaseException)]
        assert [type(one) for one in refused] in ([NotPermitted], [NotAllowedNow]), done
        assert await admins(database) == 1
        await database.execute("UPDATE users SET role = 'admin', is_active = true")


async def test_ten_admins_who_all_leave_at_once_leave_one(database: Database) -> None:
    users, first = PostgresUserAccounts(database), By(await RealWorld(database).admin(), CALLER)
    everybody = [first, *[By(await someone(database, first, f"admin-{n}"), CALLER) for n in range(9)]]
    done = await asyncio.gather(
        *(users.change(one.user.id, UserChange(role=Role.USER), one) for one in everybody), return_exceptions=True
    )
    assert sum(isinstance(one, NotAllowedNow) for one in done) == 1
    assert await admins(database) == 1


async def test_each_change_is_audited_with_what_it_changed_and_no_address(database: Database) -> None:
    world = RealWorld(database)
    by = By(await world.admin(), CALLER)
    bob = await someone(database, by, "bob", Role.USER)
    await PostgresUserAccounts(database).change(bob.id, UserChange(Role.OPERATOR, "b@example.test", False), by)
    await PostgresUserAccounts(database).set_password(bob.id, "another hash", by)
    rows = await database.fetch(
        "SELECT action, user_id, details FROM audit_logs WHERE resource_id = $1 ORDER BY created_at, action", bob.id
    )
    assert [row["action"] for row in rows] == ["users.create", "users.change", "users.password"]
    assert {row["user_id"] for row in rows} == {by.user.id}
    details = rows[1]["details"]
    assert (details["role"], details["is_active"], details["email"]) == (["user", "operator"], [True, False], "changed")
    assert "hash" not in str([row["details"] for row in rows])


async def test_a_change_that_cannot_be_audited_does_not_happen(database: Database) -> None:
    world = RealWorld(database)
    bob = await someone(database, By(await world.admin(), CALLER), "bob", Role.USER)
    await database.execute("ALTER TABLE audit_logs ADD CONSTRAINT full_disk CHECK (action <> 'users.change')")
    http = await world.signed_in()
    assert (await http.patch(f"{PATH}/{bob.id}", json={"role": "admin"})).status_code == 500
    assert await database.fetchval("SELECT role FROM users WHERE id = $1", bob.id) == "user"


async def test_what_is_taken_is_a_conflict_that_names_the_field(database: Database) -> None:
    http = await RealWorld(database).signed_in()
    new = {"username": "bob", "email": "bob@example.test", "password": "a long enough secret"}
    fields: list[Any] = []
    for change in ({}, {}, {"username": "eve"}, {"username": "BOB", "email": "another@example.test"}):
        answer = await http.post(PATH, json=new | change)
        fields.append((answer.status_code, answer.json().get("error", {}).get("details")))
    assert fields == [
        (201, None),
        (409, {"field": "username"}),
        (409, {"field": "email"}),
        (409, {"field": "username"}),
    ]


async def test_an_admin_who_is_none_any_more_changes_nothing(database: Database) -> None:
    users, by = PostgresUserAccounts(database), By(await RealWorld(database).admin(), CALLER)
    gone = By(await someone(database, by, "gone"), CALLER)
    await users.change(gone.user.id, UserChange(is_active=False), by)
    with pytest.raises(NotPermitted):
        await someone(database, gone, "friend")
    with pytest.raises(NotPermitted):
        await users.set_password(by.user.id, "mine now", gone)


async def test_nobody_is_not_found(database: Database) -> None:
    users, by = PostgresUserAccounts(database), By(await RealWorld(database).admin(), CALLER)
    with pytest.raises(NotFound):
        await users.change(UUID(int=0), UserChange(role=Role.USER), by)
    with pytest.raises(NotFound):
        await users.set_password(UUID(int=0), "hash", by)


async def test_the_list_goes_on_by_name_with_its_filter(database: Database) -> None:
    world = RealWorld(database)
    by = By(await world.admin(), CALLER)
    for name in ("dan", "bob", "cas"):
        await someone(database, by, name, Role.USER)
    http = await world.signed_in()
    assert await names(http, role="user", limit=2) == ["bob", "cas", "dan"]
    assert await names(http, is_active=True) == ["admin", "bob", "cas", "dan"]
    assert await names(http, is_active=False) == []


async def names(http: httpx.AsyncClient, **query: Any) -> list[str]:
    found: list[str] = []
    while True:
        page = (await http.get(PATH, params=query)).json()["data"]
        found += [item["username"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def test_tokens_end_with_a_new_password_and_with_being_disabled_and_with_nothing_else(database: Database) -> None:
    world, users = RealWorld(database), PostgresUsers(database)
    by = By(await world.admin(), CALLER)
    bob = await someone(database, by, "bob", Role.USER)
    generations: list[int] = []
    accounts = PostgresUserAccounts(database)
    for change in (UserChange(Role.OPERATOR, "b@example.test", True), UserChange(is_active=False), None):
        await (accounts.change(bob.id, change, by) if change else accounts.set_password(bob.id, "another hash", by))
        now = await users.user(bob.id)
        assert now is not None
        generations.append(now.token_generation)
    assert generations == [0, 1, 2]
    assert (await world.http(**world.signs_in(bob)).get("/api/v1/auth/me")).status_code == 401


async def test_who_only_reads_is_asked_after_once_a_second_and_who_changes_something_each_time(
    database: Database,
) -> None:
    time = OwnedTime()
    world, users = RealWorld(database), PostgresUsers(database, clock=time.clock())
    by = By(await world.admin(), CALLER)
    bob = await someone(database, by, "bob", Role.USER)
    assert await users.lately(bob.id) == bob
    await PostgresUserAccounts(database).change(bob.id, UserChange(is_active=False), by)
    time.seconds += LATELY - 0.01
    assert await users.lately(bob.id) == bob
    disabled = await users.user(bob.id)
    time.seconds += 0.01
    assert disabled is not None
    assert not disabled.is_active
    assert await users.lately(bob.id) == disabled


async def test_of_many_users_the_latest_are_remembered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_users, "MOST_REMEMBERED", 1)
    world, users = RealWorld(database), PostgresUsers(database, clock=OwnedTime().clock())
    by = By(await world.admin(), CALLER)
    bob, ann = [await someone(database, by, name, Role.USER) for name in ("bob", "ann")]
    assert [await users.lately(one.id) for one in (bob, ann)] == [bob, ann]
    for one in (bob, ann):
        await PostgresUserAccounts(database).change(one.id, UserChange(is_active=False), by)
    assert await users.lately(ann.id) == ann, "remembered"
    assert await users.lately(bob.id) != bob, "forgotten, and asked after"
    assert await users.lately(uuid4()) is None


async def test_a_sign_in_that_began_before_a_new_password_does_not_bring_the_old_one_back(database: Database) -> None:
    world, users = RealWorld(database), PostgresUsers(database)
    by = By(await world.admin(), CALLER)
    bob = await someone(database, by, "bob", Role.USER)
    await PostgresUserAccounts(database).set_password(bob.id, "the new hash", by)
    await users.signed_in(bob, CALLER, new_hash="the old password, hashed anew")
    account = await users.account("bob")
    assert account is not None
    assert account.password_hash == "the new hash"
    await users.signed_in(account.user, CALLER, new_hash="the new password, hashed anew")
    assert await database.fetchval("SELECT password_hash FROM users WHERE id = $1", bob.id) == (
        "the new password, hashed anew"
    )
