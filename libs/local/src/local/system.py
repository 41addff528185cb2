"""The whole system on one machine, on one page: which processes, with which settings, in which order."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from local.dagster import dagster_parts
from local.errors import LocalError
from local.foreground import make_say, run, serve
from local.infrastructure import ALL_PARTS, Infrastructure
from local.observability import EXPORTER, Mail, Programs, alertmanager_part, find_programs, prometheus_part
from local.part import Part
from local.probes import HOST, http_answers, service_answers
from local.service_settings import ADMIN, Places, settings_of
from local.surroundings import given_settings, inherited_environment
from sandbox.invoices import ADMINISTRATIONS

DATA = Path(".clearfacts/data")
ADMIN_PASSWORD = "admin-password"  # noqa: S105 - the name of the secret's file
SERVICE_STOP = timedelta(seconds=55)
"""Above every service's own STOP_TIMEOUT: killed before, the sender leaves outcomes that nobody knows."""
SERVICES = ("gateway", "fetcher", "validator", "sender", "notifier")
OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
EXTERNAL = {"DATABASE_URL": "postgres", "KAFKA_BOOTSTRAP_SERVERS": "kafka", "REDIS_URL": "valkey"}
"""Settings that, named in the caller's environment, take the place of a part of this machine."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to run, and settings that differ from the ordinary.

    `env` is laid over every service's settings; `given` are the settings that the caller's environment has already.
    """

    sandbox: Mapping[str, str] = field(default_factory=dict[str, str])
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    services: Sequence[str] = SERVICES
    dagster: bool = True
    traces: float | None = None
    """The part of reads and invoices whose spans the sandbox receives; None: nothing is traced."""
    observability: Programs | None = None
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

    def replica(self, service: str, name: str) -> Part:
        """A further process of `service`, to be started under a name of its own."""
        port = self._port(name)
        part = self._service(service)
        env = {**part.env, "HTTP_PORT": str(port)}
        return replace(part, name=name, env=env, port=port, ready=partial(http_answers, port))

    async def start(self) -> None:
        """Prepare database and topics, then start everything; returns when all of it is ready."""
        env = self._common()
        async with asyncio.TaskGroup() as tasks:
            for part in (self._sandbox(), *await self._dagster(), *self._observability()):
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
            *(
                [f"metrics   {self._url('prometheus')}", f"alerts    {self._url('alertmanager')}"]
                if self.options.observability
                else []
            ),
            f"mailbox   {self._url('sandbox-mailbox')}/sandbox/messages",
            *([f"traces    {self._url('sandbox-traces')}"] if self.options.traces is not None else []),
            f"sign in   {ADMIN} / {self.admin_password}",
            f"logs      {self.infrastructure.data.folder('logs')}",
        ]

    def _common(self) -> dict[str, str]:
        """Settings that every service gets; parts that the caller named in its environment are not ours to name."""
        ours = {
            "DATABASE_URL": lambda: self.infrastructure.database_url,
            "KAFKA_BOOTSTRAP_SERVERS": lambda: self.infrastructure.kafka_bootstrap,
            "REDIS_URL": lambda: self.infrastructure.redis_url,
            "ENVIRONMENT": lambda: "local",
        }
        given = self.options.given
        named = {name: value() for name, value in ours.items() if name not in given}
        return {**named, **self._tracing(), **self.options.env}

    def _tracing(self) -> dict[str, str]:
        if self.options.traces is None or OTLP_ENDPOINT in self.options.given:
            return {}
        return {OTLP_ENDPOINT: self._url("sandbox-traces"), "OTEL_TRACES_SAMPLER_ARG": str(self.options.traces)}

    def _service(self, name: str) -> Part:
        settings = settings_of(
            name,
            self._places(),
            self.options.given,
            administrations=self.options.administrations,
            default_administration=self.options.default_administration,
        )
        port = self._port(name)
        return Part(
            name=name,
            argv=[sys.executable, "-m", name],
            env={"HTTP_PORT": str(port), **settings, **self._common()},
            ready=partial(service_answers, port),
            port=port,
            after=self.infrastructure.names,
            stop_timeout=SERVICE_STOP,
        )

    def _places(self) -> Places:
        data = self.infrastructure.data
        return Places(
            gateway=self.gateway_url,
            source=self._url("sandbox-source"),
            destination=self._url("sandbox-destination"),
            slack=self._url("sandbox-slack"),
            mail_port=self._port("sandbox-mail"),
            jwt_keys=data.folder("jwt-keys"),
            admin_password=data.secret_file(ADMIN_PASSWORD),
            sandbox_token=data.secret_file("sandbox-token"),
            webhook_key=data.secret_file("webhook-key"),
        )

    def _sandbox(self) -> Part:
        faces = ("source", "destination", "slack", "traces", "mail", "mailbox")
        ports = {face: self._port(f"sandbox-{face}") for face in faces}
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

    async def _dagster(self) -> Sequence[Part]:
        if not self.options.dagster:
            return []
        slack = {"SLACK_WEBHOOK_URL": f"{self._url('sandbox-slack')}/services/sandbox"}
        slack = slack if "SLACK_WEBHOOK_URL" not in self.options.given else {}
        env = {
            "GATEWAY_URL": self.gateway_url,
            "GATEWAY_USERNAME": ADMIN,
            "GATEWAY_PASSWORD_FILE": str(self.infrastructure.data.secret_file(ADMIN_PASSWORD)),
            "PUBLIC_URL": self.gateway_url,
            **slack,
            **self._common(),
        }
        return await dagster_parts(self.infrastructure, env)

    def _observability(self) -> Sequence[Part]:
        """The services and Dagster's exporter are watched; what is found is told to the sandbox's Slack and mail."""
        if (programs := self.options.observability) is None:
            return []
        watched = (*self.options.services, *([EXPORTER] if self.options.dagster else []))
        slack, mail = f"{self._url('sandbox-slack')}/services/alertmanager", Mail(self._port("sandbox-mail"))
        return [
            prometheus_part(self.infrastructure, programs.prometheus, {name: self._port(name) for name in watched}),
            alertmanager_part(self.infrastructure, programs.alertmanager, slack=slack, mail=mail),
        ]

    def _port(self, name: str) -> int:
        return self.infrastructure.port(name)

    def _url(self, name: str) -> str:
        return f"http://{HOST}:{self._port(name)}"


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
    parser.add_argument("--observability", action="store_true", help="with Prometheus and Alertmanager, if installed")
    options = parser.parse_args(arguments)
    programs = find_programs() if options.observability else None
    ports = {"gateway": options.gateway_port} if options.gateway_port is not None else {}
    say = make_say()
    given = given_settings()
    parts = ALL_PARTS - {part for name, part in EXTERNAL.items() if name in given}

    async def compose(infrastructure: Infrastructure) -> Sequence[str]:
        system = System(infrastructure, Options(given=given, traces=1.0, observability=programs))
        await system.start()
        return system.lines()

    infrastructure = Infrastructure(options.data, parts=parts, ports=ports, fresh=options.fresh, say=say)
    return run(lambda: serve(infrastructure, compose, say=say))
