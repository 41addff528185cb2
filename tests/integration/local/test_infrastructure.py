"""The real Kafka, PostgreSQL and Valkey as libs/local starts them."""

import asyncio
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from local.data_dir import is_held
from local.errors import LocalError
from local.infrastructure import Infrastructure
from local.jars import Fetch, Jar, JarCache
from local.ports import CHOICE
from local.probes import http_answers, kafka_answers, port_accepts, valkey_answers

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
async def infra(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Infrastructure]:
    said: list[str] = []
    async with Infrastructure(tmp_path_factory.mktemp("local") / "data", say=said.append) as infrastructure:
        yield infrastructure


async def topic(infra: Infrastructure) -> str:
    name = f"t{secrets.token_hex(4)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    await admin.close()
    return name


async def produce(infra: Infrastructure, to: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=infra.kafka_bootstrap, acks="all")
    await producer.start()
    for value in values:
        await producer.send_and_wait(to, value)
    await producer.stop()


async def consume(infra: Infrastructure, name: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        name, bootstrap_servers=infra.kafka_bootstrap, group_id=f"g-{name}", auto_offset_reset="earliest"
    )
    await consumer.start()
    async with asyncio.timeout(30):
        values = [(await consumer.getone()).value for _ in range(count)]
    await consumer.stop()
    return [value for value in values if value is not None]


async def test_a_record_goes_through_kafka_in_a_group(infra: Infrastructure) -> None:
    name = await topic(infra)

    await produce(infra, name, [b"one", b"two"])

    assert await consume(infra, name, 2) == [b"one", b"two"]


async def test_kafka_is_set_up_as_promised(infra: Infrastructure) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=infra.kafka_bootstrap)
    await admin.start()
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    await admin.close()

    shown = {entry[0]: entry[1] for entry in answer.resources[0][4]}  # pyright: ignore[reportAttributeAccessIssue]

    assert shown["auto.create.topics.enable"] == "false"
    assert shown["unclean.leader.election.enable"] == "false"
    assert shown["broker.session.timeout.ms"] == "3000"
    assert shown["broker.heartbeat.interval.ms"] == "500"
    assert shown["group.min.session.timeout.ms"] == "1000"
    assert shown["group.initial.rebalance.delay.ms"] == "0"


async def test_postgres_is_18_and_set_up_as_promised(infra: Infrastructure) -> None:
    connection = await asyncpg.connect(infra.database_url)
    names = ("server_version", "max_connections", "autovacuum_naptime", "fsync", "server_encoding", "TimeZone")

    shown = [await connection.fetchval(f"SHOW {name}") for name in names]

    assert shown == ["18.4", "200", "10s", "on", "UTF8", "UTC"]
    await connection.close()


async def test_a_created_database_is_empty_and_creating_it_twice_is_no_error(infra: Infrastructure) -> None:
    url = await infra.create_database("fresh_one")
    connection = await asyncpg.connect(url)

    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()
    assert await infra.create_database("fresh_one") == url


async def test_a_name_that_is_no_name_is_refused(infra: Infrastructure) -> None:
    with pytest.raises(LocalError, match="cannot be the name of a database"):
        await infra.create_database('x"; DROP DATABASE clearfacts')


async def test_only_the_one_with_the_password_gets_in(infra: Infrastructure) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(infra.database_url.replace(":", ":wrong", 2).replace(":wrong//", "://", 1))


async def test_postgres_killed_with_9_is_back_with_what_was_committed(infra: Infrastructure) -> None:
    url = await infra.create_database("durable")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (42)")

    await infra.kill("postgres")
    connection.terminate()
    began = time.monotonic()
    await infra.wait_ready("postgres")

    assert time.monotonic() - began < 15  # below one second where the disk is not busy
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT n FROM t") == 42
    await connection.close()


async def test_kafka_killed_with_9_is_back_with_what_was_acknowledged(infra: Infrastructure) -> None:
    name = await topic(infra)
    await produce(infra, name, [b"kept"])

    await infra.kill("kafka")
    began = time.monotonic()
    await infra.wait_ready("kafka")

    assert time.monotonic() - began < 15  # four where the machine is quiet; eleven is the default session timeout's
    assert await consume(infra, name, 1) == [b"kept"]


async def test_a_part_that_is_held_is_gone_until_it_is_released(infra: Infrastructure) -> None:
    port = int(infra.redis_url.rsplit(":", 1)[1].split("/")[0])
    await infra.hold("valkey")
    with pytest.raises(OSError, match="Connect call failed"):
        await valkey_answers(port)

    await infra.release("valkey")

    assert await valkey_answers(port)


async def test_a_second_instance_on_the_same_data_is_one_clear_line(infra: Infrastructure) -> None:
    with pytest.raises(LocalError, match=r"another instance \(pid \d+\) runs on"):
        await Infrastructure(infra.data.root).__aenter__()


async def test_data_and_ports_stay_from_one_start_to_the_next(tmp_path: Path) -> None:
    urls: list[tuple[str, str, str]] = []
    for _ in range(2):
        async with Infrastructure(tmp_path / "data", say=lambda _: None) as infra:
            urls.append((infra.database_url, infra.kafka_bootstrap, infra.redis_url))

    assert urls[0] == urls[1]


async def test_a_port_that_is_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(LocalError, match=f"^port {port} for valkey is in use: stop what listens there"):
            await Infrastructure(
                tmp_path / "data", parts=frozenset({"valkey"}), ports={"valkey": port}, say=lambda _: None
            ).__aenter__()


async def test_a_download_that_cannot_be_had_is_one_clear_line_and_stops_the_rest(tmp_path: Path) -> None:
    def unreachable() -> Fetch:
        def fetch(jar: Jar, to: Path) -> None:
            raise ConnectionError(f"no way to {jar.file_name} and so none to {to}")

        return fetch

    jars = JarCache(tmp_path / "jars", say=lambda _: None, make_fetch=unreachable, pauses=())
    parts = frozenset({"valkey", "kafka"})
    with pytest.raises(LocalError, match=r"^cannot download .*\.jar: ConnectionError: no way to .*check the network"):
        await Infrastructure(tmp_path / "data", parts=parts, say=lambda _: None, jars=jars).__aenter__()

    assert not is_held(tmp_path / "data")


async def test_only_the_parts_that_were_asked_for_are_started(tmp_path: Path) -> None:
    async with Infrastructure(tmp_path / "data", parts=frozenset({"valkey"}), say=lambda _: None) as infra:
        assert [part.name for part in infra.supervisor.status()] == ["valkey"]
        with pytest.raises(LocalError, match="kafka is not among the parts"):
            _ = infra.kafka_bootstrap


async def test_the_command_stops_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.run_command", "infra", "--data", str(tmp_path / "data")]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"everything is ready" not in await process.stdout.readline():
            pass
    process.send_signal(2)
    output, _ = await process.communicate()

    assert process.returncode == 0
    assert b"nothing is left running" in output


class TestProbes:
    """A port that is open is not yet a part that serves."""

    @pytest.mark.parametrize("probe", [kafka_answers, valkey_answers, http_answers])
    async def test_a_port_that_answers_something_else_is_not_ready(self, probe: object) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4)
            writer.write(b"HTTP/1.1 503 no\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]

            assert not await probe(port)  # pyright: ignore[reportCallIssue]
            assert await port_accepts(port)


def test_ports_are_chosen_below_those_of_clients() -> None:
    first, last = (int(word) for word in Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())

    assert CHOICE.stop <= first < last
