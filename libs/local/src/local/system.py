"""The whole system on one machine, on one page: which processes, with which settings, in which order."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from local.errors import LocalError
from local.foreground import make_say, run, serve
from local.infrastructure import Infrastructure
from local.part import Part
from local.probes import HOST, http_answers, port_accepts
from local.surroundings import inherited_environment
from orchestration.home import HEALTH_PATH, processes, write_home
from sandbox.invoices import ADMINISTRATIONS

DATA = Path(".clearfacts/data")
ADMIN = "admin"
ADMIN_PASSWORD = "admin-password"  # noqa: S105 - the name of the secret's file
SERVICES = ("gateway", "fetcher", "validator", "sender", "notifier")
INFRASTRUCTURE = frozenset({"kafka", "postgres", "valkey"})


@dataclass(frozen=True, slots=True)
class Options:
    """What to run, and settings that differ from the ordinary. `env` is laid over every service's settings."""

    sandbox: Mapping[str, str] = field(default_factory=dict[str, str])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    services: Sequence[str] = SERVICES
    dagster: bool = True
    administrations: Sequence[str] = tuple(party.number for party in ADMINISTRATIONS)
    default_administration: str = ADMINISTRATIONS[0].number


@dataclass(frozen=True, slots=True)
class System:
    """A running system: where it answers, and its parts under `infrastructure.supervisor`."""

    infrastructure: Infrastructure
    options: Options

    @property
    def gateway_url(self) -> str:
        return self._url("gateway")

    @property
    def admin_password(self) -> str:
        return self.infrastructure.data.secret(ADMIN_PASSWORD)

    @property
    def oracle(self) -> Path:
        """The folder of the sandbox's durable log of accepted documents."""
        return self.infrastructure.data.folder("sandbox")

    def url_of(self, part: str) -> str:
        """The base URL of a part."""
        return self._url(part)

    async def start(self) -> None:
        """Prepare database and topics, then start everything; returns when all of it is ready."""
        env = self._common()
        dagster_database = await self.infrastructure.create_database("dagster")
        async with asyncio.TaskGroup() as tasks:
            for part in (self._sandbox(), *self._dagster(dagster_database)):
                tasks.create_task(self._bring_up(part))
            await prepare(env)
            self.infrastructure.say("database migrated, topics made")
            for name in self.options.services:
                tasks.create_task(self._bring_up(self._service(name)))

    async def _bring_up(self, part: Part) -> None:
        await self.infrastructure.supervisor.start([part])
        self.infrastructure.say(f"{part.name} is ready{f' on {HOST}:{part.port}' if part.port else ''}")

    def lines(self) -> Sequence[str]:
        """What a person wants to know once all is ready."""
        return [
            f"gateway   {self.gateway_url}",
            *([f"Dagster   {self._url('dagster-webserver')}"] if self.options.dagster else []),
            f"sign in   {ADMIN} / {self.admin_password}",
            f"logs      {self.infrastructure.data.folder('logs')}",
        ]

    def _common(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.infrastructure.database_url,
            "KAFKA_BOOTSTRAP_SERVERS": self.infrastructure.kafka_bootstrap,
            "REDIS_URL": self.infrastructure.redis_url,
            "ENVIRONMENT": "local",
            **self.options.env,
        }

    def _service(self, name: str) -> Part:
        own: Mapping[str, Mapping[str, str]] = {
            "gateway": {
                "JWT_KEYS_DIR": str(self.infrastructure.data.folder("jwt-keys")),
                "BOOTSTRAP_ADMIN_USERNAME": ADMIN,
                "BOOTSTRAP_ADMIN_PASSWORD_FILE": str(self.infrastructure.data.secret_file(ADMIN_PASSWORD)),
                "PUBLIC_URL": self.gateway_url,
            },
            "fetcher": {
                "SOURCE_URL": self._url("sandbox-source"),
                "SOURCE_TOKEN_FILE": str(self.infrastructure.data.secret_file("sandbox-token")),
                "ADMINISTRATIONS": json.dumps(list(self.options.administrations)),
                "DEFAULT_ADMINISTRATION": self.options.default_administration,
            },
            "validator": {},
            "sender": {
                "DESTINATION_URL": self._url("sandbox-destination"),
                "DESTINATION_TOKEN_FILE": str(self.infrastructure.data.secret_file("sandbox-token")),
            },
            "notifier": {
                "SLACK_WEBHOOK_URL": f"{self._url('sandbox-slack')}/services/sandbox",
                "PUBLIC_URL": self.gateway_url,
            },
        }
        return self._http_part(
            name, [sys.executable, "-m", name], {**own[name], **self._common()}, after=INFRASTRUCTURE
        )

    def _sandbox(self) -> Part:
        ports = {face: self._port(f"sandbox-{face}") for face in ("source", "destination", "slack")}
        env = {
            "SANDBOX_DATA_DIR": str(self.oracle),
            "SANDBOX_TOKEN": self.infrastructure.data.secret("sandbox-token"),
            **{f"SANDBOX_{face.upper()}_PORT": str(port) for face, port in ports.items()},
            **self.options.sandbox,
        }
        return Part(
            name="sandbox",
            argv=[sys.executable, "-m", "sandbox"],
            env=env,
            ready=partial(http_answers, ports["slack"], "/health/live"),
            port=ports["source"],
        )

    def _dagster(self, database_url: str) -> Sequence[Part]:
        if not self.options.dagster:
            return []
        home = self.infrastructure.data.folder("dagster")
        code, web = self._port("dagster-code-server"), self._port("dagster-webserver")
        write_home(home, code_server_port=code)
        argv = processes(home, code_server_port=code, webserver_port=web)
        env = {
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": database_url,
            "KAFKA_BOOTSTRAP_SERVERS": self.infrastructure.kafka_bootstrap,
            "GATEWAY_URL": self.gateway_url,
            "GATEWAY_USERNAME": ADMIN,
            "GATEWAY_PASSWORD_FILE": str(self.infrastructure.data.secret_file(ADMIN_PASSWORD)),
            "PUBLIC_URL": self.gateway_url,
        }
        made = partial(Part, env=env, folder=home)
        after = frozenset({"dagster-code-server", "postgres"})
        return [
            made(
                name="dagster-code-server",
                argv=argv.code_server,
                ready=partial(port_accepts, code),
                port=code,
                after=INFRASTRUCTURE,
            ),
            made(name="dagster-daemon", argv=argv.daemon, ready=_at_once, after=after),
            made(
                name="dagster-webserver",
                argv=argv.webserver,
                ready=partial(http_answers, web, HEALTH_PATH),
                port=web,
                after=after,
            ),
        ]

    def _http_part(self, name: str, argv: Sequence[str], env: Mapping[str, str], *, after: frozenset[str]) -> Part:
        port = self._port(name)
        return Part(
            name=name,
            argv=argv,
            env={"HTTP_PORT": str(port), **env},
            ready=partial(http_answers, port),
            port=port,
            after=after,
        )

    def _port(self, name: str) -> int:
        return self.infrastructure.port(name)

    def _url(self, name: str) -> str:
        return f"http://{HOST}:{self._port(name)}"


async def _at_once() -> bool:
    return True  # the daemon has no port; its heartbeat is a row


async def prepare(env: Mapping[str, str]) -> None:
    """Migrate the database and make the topics. Raises LocalError with the command's last line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "common.prepare", env=inherited_environment(env), stdout=-1, stderr=-1
    )
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise LocalError(f"preparing the database and the topics failed: {errors.decode().strip().splitlines()[-1:]}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run up", description="Start the whole system and stay until Ctrl-C.")
    parser.add_argument("--data", type=Path, default=DATA, help="data directory (default %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="wipe the data directory first")
    parser.add_argument("--gateway-port", type=int, metavar="N", help="default: a free one, kept")
    options = parser.parse_args(arguments)
    ports = {"gateway": options.gateway_port} if options.gateway_port is not None else {}
    say = make_say()

    async def compose(infrastructure: Infrastructure) -> Sequence[str]:
        system = System(infrastructure, Options())
        await system.start()
        return system.lines()

    infrastructure = Infrastructure(options.data, ports=ports, fresh=options.fresh, say=say)
    return run(lambda: serve(infrastructure, compose, say=say))
