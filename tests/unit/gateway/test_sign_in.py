"""Signing in: no enumeration, no flood, an audit entry for each try."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from common.clock import SYSTEM_CLOCK
from gateway.adapters.argon2_passwords import AT_ONCE, WAITING, Argon2Passwords
from gateway.adapters.limits_throttle import LimitsThrottle, network
from gateway.domain.access import Account
from gateway.domain.faults import Busy, TooManyAttempts
from gateway.use_cases import CreateFirstAdmin
from tests.unit.gateway.fakes import PASSWORD, FakeUsers, PlainPasswords, World, user


async def sign_in(world: World, username: str, password: str = PASSWORD) -> httpx.Response:
    return await world.http().post("/auth/login", json={"username": username, "password": password})


async def test_the_right_password_gives_a_token_that_works() -> None:
    world = World()
    someone = world.users.add(user())
    data = (await sign_in(world, someone.username)).json()["data"]
    assert (data["token_type"], data["expires_in"]) == ("bearer", 3600)
    me = await world.http().get("/api/v1/auth/me", headers={"Authorization": f"Bearer {data['access_token']}"})
    assert me.json()["data"]["username"] == someone.username


async def test_nobody_can_tell_a_wrong_password_from_an_unknown_or_disabled_user() -> None:
    world = World()
    known, disabled = world.users.add(user()), world.users.add(user(active=False))
    tries = [(known.username, "wrong"), ("nobody", PASSWORD), (disabled.username, PASSWORD)]
    answers = [await sign_in(world, *one) for one in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert len({str(answer.json()["error"]) for answer in answers}) == 1
    assert len(world.passwords.compared) == 3, "each try costs one comparison"


async def test_every_try_is_audited() -> None:
    world = World()
    someone = world.users.add(user())
    for username, password in ((someone.username, "wrong"), ("nobody", "x"), (someone.username, PASSWORD)):
        await sign_in(world, username, password)
    assert world.users.audit == [
        ("auth.login_failed", someone.id),
        ("auth.login_failed", None),
        ("auth.login", someone.id),
    ]


async def test_ten_failures_close_the_door_even_for_the_right_password() -> None:
    world = World()
    someone = world.users.add(user())
    http = world.http()
    for _ in range(10):
        await http.post("/auth/login", json={"username": someone.username, "password": "wrong"})
    answer = await http.post("/auth/login", json={"username": someone.username, "password": PASSWORD})
    assert answer.status_code == 429
    assert len(world.passwords.compared) == 10, "a throttled try costs no hash"
    assert len(world.users.audit) == 10, "and fills no table"


async def test_success_forgets_the_failures_before_it() -> None:
    world = World()
    someone = world.users.add(user())
    http = world.http()
    statuses = [
        (await http.post("/auth/login", json={"username": someone.username, "password": password})).status_code
        for password in (["wrong"] * 9 + [PASSWORD]) * 2
    ]
    assert statuses == ([401] * 9 + [200]) * 2


async def test_an_address_may_not_try_many_names() -> None:
    throttle = LimitsThrottle(None, clock=SYSTEM_CLOCK)
    for number in range(30):
        await throttle.failed(f"name-{number}", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        await throttle.check("fresh-name", "192.0.2.1")
    await throttle.check("fresh-name", "192.0.2.2")


async def test_a_stranger_elsewhere_does_not_lock_a_user_out() -> None:
    throttle = LimitsThrottle(None, clock=SYSTEM_CLOCK)
    for _ in range(20):
        await throttle.failed("ann", "192.0.2.66")
    await throttle.check("ann", "192.0.2.1")


async def test_many_addresses_that_try_one_name_are_slowed_down() -> None:
    throttle = LimitsThrottle(None, clock=SYSTEM_CLOCK)
    for number in range(100):
        await throttle.failed("ann", f"192.0.2.{number}")
    with pytest.raises(TooManyAttempts) as refused:
        await throttle.check("ann", "198.51.100.1")
    assert timedelta(0) < refused.value.retry_after <= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("ip", "expected"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::/64"), (None, "unknown")],
)
def test_an_ipv6_network_is_one_address(ip: str | None, expected: str) -> None:
    assert network(ip) == expected


async def test_a_full_queue_is_unavailable_and_not_a_wait() -> None:
    answer = await sign_in(World(passwords=PlainPasswords(full=True)), "ann")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


async def test_a_hash_with_old_parameters_is_renewed() -> None:
    world = World()
    someone = user()
    world.users.accounts[someone.username] = Account(someone, f"old:{PASSWORD}")
    await sign_in(world, someone.username)
    assert world.users.accounts[someone.username].password_hash == f"new:{PASSWORD}"


async def test_argon2_tells_right_from_wrong_and_from_rubbish() -> None:
    passwords = Argon2Passwords(memory_kib=64)
    stored = await passwords.hashed("right")
    assert stored.startswith("$argon2id$")
    assert [await passwords.matches(stored, "right"), await passwords.matches(stored, "wrong")] == [True, False]
    assert [await passwords.matches(None, "right"), await passwords.matches("rubbish", "right")] == [False, False]
    assert Argon2Passwords(memory_kib=128).outdated(stored)
    assert not passwords.outdated(stored)


async def test_no_password_opens_an_account_that_is_not_there() -> None:
    passwords = Argon2Passwords(memory_kib=64)
    assert not await passwords.matches(None, "nobody has this password")


async def test_only_so_many_wait_for_their_turn_to_hash() -> None:
    passwords, done = Argon2Passwords(memory_kib=64), asyncio.Event()

    async def hold() -> None:
        async with passwords.turn():
            await done.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE + WAITING):
            tasks.create_task(hold())
        await asyncio.sleep(0)  # each holds or waits now
        with pytest.raises(Busy):
            async with passwords.turn():
                pass
        done.set()
    async with passwords.turn():
        pass


async def test_the_first_admin_is_made_once_and_never_overwritten() -> None:
    users = FakeUsers()
    create = CreateFirstAdmin(users, PlainPasswords())
    made = [await create(*one) for one in (("admin", "first"), ("admin", "second"), ("eve", "third"))]
    assert made == [True, False, False]
    assert {name: account.password_hash for name, account in users.accounts.items()} == {"admin": "new:first"}
