"""The real Kafka, PostgreSQL and Valkey on this machine, for the local system and for tests."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from local.data_dir import held
from local.errors import LocalError
from local.jars import JarCache
from local.kafka import Proxied, prepare_kafka
from local.part import Part
from local.ports import Ports
from local.postgres import DATABASE, create_database, database_url, prepare_postgres
from local.probes import HOST
from local.supervisor import Say, Supervisor
from local.surroundings import cache_folder
from local.valkey import prepare_valkey

ALL_PARTS = frozenset({"kafka", "postgres", "valkey"})
NO_PORTS: Mapping[str, int] = MappingProxyType({})


class Infrastructure:
    """Use as an async context manager: inside, the parts serve; `supervisor` runs further parts beside them.

    `ports` names the ports that have to be the given ones (`kafka`, `postgres`, `valkey`); the others are free ones,
    the same at every start where they still are free. `fresh` wipes the data directory first. `kafka_by_proxy` gives
    the broker a second listener, for the clients of a proxy that the caller runs: see `kafka_proxied`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        parts: frozenset[str] = ALL_PARTS,
        ports: Mapping[str, int] = NO_PORTS,
        fresh: bool = False,
        kafka_by_proxy: bool = False,
        say: Say = print,
        jars: JarCache | None = None,
    ) -> None:
        if unknown := parts - ALL_PARTS:
            raise LocalError(f"{', '.join(sorted(unknown))}: the infrastructure has {', '.join(sorted(ALL_PARTS))}")
        self._data_dir = data_dir
        self.names = parts
        self._wanted = ports
        self._fresh = fresh
        self._kafka_by_proxy = kafka_by_proxy
        self.say = say
        self._jars = jars or JarCache(cache_folder() / "jars", say=say)
        self._chosen: dict[str, int] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.data = stack.enter_context(held(self._data_dir, fresh=self._fresh))
            self.ports = Ports(self.data.root / "ports.json", self._wanted)
            self.supervisor = await stack.enter_async_context(Supervisor(self.data, say=self.say))
            await self._start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    @property
    def database_url(self) -> str:
        return database_url(self.data, self._port("postgres"), DATABASE)

    @property
    def kafka_bootstrap(self) -> str:
        return f"{HOST}:{self._port('kafka')}"

    @property
    def kafka_proxied(self) -> Proxied:
        """The ports between which the caller's proxy belongs."""
        return Proxied(listens=self.port("kafka-proxied"), advertised=self.port("kafka-proxy"))

    @property
    def redis_url(self) -> str:
        return f"redis://{HOST}:{self._port('valkey')}/0"

    async def create_database(self, name: str) -> str:
        """The URL of the database `name`, created empty where it did not exist."""
        port = self._port("postgres")
        await create_database(database_url(self.data, port, "postgres"), name)
        return database_url(self.data, port, name)

    async def kill(self, name: str) -> None:
        """Send KILL to a part's main process; the supervisor starts it again."""
        await self.supervisor.keeper(name).kill()

    async def hold(self, name: str) -> None:
        """Stop a part and keep it down until `release`."""
        await self.supervisor.keeper(name).hold()

    async def release(self, name: str) -> None:
        await self.supervisor.keeper(name).release()

    async def wait_ready(self, name: str) -> None:
        await self.supervisor.keeper(name).wait_ready()

    def signal(self, name: str, number: int) -> None:
        """Send a part's main process a signal, as SIGSTOP or SIGCONT."""
        self.supervisor.keeper(name).signal(number)

    def port(self, name: str) -> int:
        """The port of a further part, the same at every call and, where it is still free, at every start."""
        if name not in self._chosen:
            self._chosen[name] = self.ports.choose(name)
        return self._chosen[name]

    def _port(self, name: str) -> int:
        if name not in self.names:
            raise LocalError(f"{name} is not among the parts that were started")
        return self._chosen[name]

    async def _start(self) -> None:
        for name in sorted(self.names):
            self._chosen[name] = self.ports.choose(name)
        try:
            async with asyncio.TaskGroup() as tasks:
                for preparation in self._preparations():
                    tasks.create_task(self._bring_up(preparation))
        except ExceptionGroup as group:
            told, other = group.split(LocalError)
            if told is None or other is not None:
                raise
            raise told.exceptions[0] from None
        if "postgres" in self.names:
            await self.create_database(DATABASE)

    def _preparations(self) -> list[Coroutine[Any, Any, Part]]:
        coroutines: list[Coroutine[Any, Any, Part]] = []
        if "kafka" in self.names:
            controller = self.ports.choose("kafka-controller")
            proxied = self.kafka_proxied if self._kafka_by_proxy else None
            coroutines.append(
                prepare_kafka(self.data, self._jars, port=self._chosen["kafka"], controller=controller, proxied=proxied)
            )
        if "postgres" in self.names:
            coroutines.append(prepare_postgres(self.data, port=self._chosen["postgres"]))
        if "valkey" in self.names:
            coroutines.append(prepare_valkey(self.data, port=self._chosen["valkey"]))
        return coroutines

    async def _bring_up(self, preparation: Coroutine[Any, Any, Part]) -> None:
        part = await preparation
        self.say(f"starting {part.name}")
        await self.supervisor.start([part])
        self.say(f"{part.name} is ready on {HOST}:{part.port}")
