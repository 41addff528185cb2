"""What every service process does alike: settings, logs, waiting for its parts, health, loops, a graceful stop.

`run_service(name, Settings, build_app)` is a service's whole `__main__`.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import structlog
import uvicorn
import uvloop
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from starlette.applications import Starlette

from common.clock import SYSTEM_CLOCK
from common.db.pool import Database, connect
from common.ending import LoopGuard, end_standstill
from common.errors import ConfigurationError, InfrastructureError
from common.health import Check, Health
from common.kafka.broker import make_broker
from common.kafka.consumer import Subscription
from common.kafka.health import broker_answers, consumes
from common.kafka.observing import Observer
from common.kafka.watchdog import Stalled, Watchdog
from common.observability.logging import configure_logging
from common.observability.process import measure_process
from common.settings import CommonSettings, exit_with, load_settings, redacted

log = structlog.get_logger()

Loop = Callable[[], Coroutine[Any, Any, None]]
SettingsT = TypeVar("SettingsT", bound=CommonSettings)

_RETRY_EVERY = 0.5
CLOSE_TIMEOUT = 8.0


@dataclass(frozen=True, slots=True)
class Resources:
    """The connected parts that `build_app` wires: both answer when it is called."""

    database: Database
    broker: KafkaBroker


@dataclass(frozen=True, slots=True)
class App:
    """A wired service. `loops` run until they are cancelled; `drain` runs after the consumers stopped, in order."""

    subscribers: Sequence[Subscription] = ()
    loops: Sequence[Loop] = ()
    drain: Sequence[Loop] = ()
    close: Sequence[Loop] = ()
    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])
    asgi: Callable[[Health], Any] | None = None
    stalled: Stalled | None = None
    """Says why the service's own work stands still at this moment, None while it does not. Asked every 5 s; twice in a
    row ends the process."""


Build = Callable[[SettingsT, Resources], Awaitable[App]]


def run_service(name: str, kind: type[SettingsT], build: Build[SettingsT], *, stable_plans: bool = False) -> None:
    """Run until SIGTERM or SIGINT; for `stable_plans` see `common.db.pool.connect`.

    Exits 2 with one line when it is misconfigured, 1 when a part is not there.
    """
    try:
        settings = load_settings(kind)
        configure_logging(service=name, level=settings.log_level, fmt=settings.log_format)
        log.info("settings", **redacted(settings))
        measure_process()
        with traced(name, settings):
            uvloop.run(_serve(name, settings, build, stable_plans=stable_plans))
    except ConfigurationError as error:
        exit_with(error)
    except StoppedEarly:
        log.info("stopped")
    except InfrastructureError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(1) from None
    except ExceptionGroup as group:
        log.critical("ended_by_a_defect", exc_info=group)
        raise SystemExit(70) from None


@contextlib.contextmanager
def traced(name: str, settings: CommonSettings) -> Generator[None]:
    """Tell the receiver that the settings name of our spans; the last ones at the end, for two seconds at most."""
    if settings.otel_exporter_otlp_endpoint is None:
        yield
        return
    from common.observability.exporting import start_exporting  # noqa: PLC0415 - OpenTelemetry only where it is used

    spans = start_exporting(
        str(settings.otel_exporter_otlp_endpoint),
        service=name,
        environment=settings.environment,
        ratio=settings.otel_traces_sampler_arg,
    )
    try:
        yield
    finally:
        spans.close()


async def _serve(name: str, settings: SettingsT, build: Build[SettingsT], *, stable_plans: bool) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    listener = bind(settings.http_host, settings.http_port)
    database = await insist(
        lambda: connect(settings.database_url.get_secret_value(), application=name,
                        connections=settings.database_connections, stable_plans=stable_plans),
        settings.startup_timeout, hint="start PostgreSQL or check DATABASE_URL", stop=stop,
    )  # fmt: skip
    broker = make_broker(settings.kafka_bootstrap_servers, client_id=name)
    await insist(
        lambda: _connect(broker), settings.startup_timeout,
        hint="start Kafka or check KAFKA_BOOTSTRAP_SERVERS", stop=stop,
    )  # fmt: skip
    app = await build(settings, Resources(database, broker))
    health = Health(_checks(database, broker, app))
    try:
        await _run(app, broker, health, listener, stop, settings)
    finally:
        for close in app.close:
            await close()
        await broker.stop()
        await database.close()
        log.info("stopped")


async def _run(
    app: App,
    broker: KafkaBroker,
    health: Health,
    listener: socket.socket,
    stop: asyncio.Event,
    settings: CommonSettings,
) -> None:
    asgi = app.asgi(health) if app.asgi else Starlette(routes=list(health.routes()))
    server = _Server(uvicorn.Config(asgi, log_config=None, access_log=False, lifespan="off", server_header=False))
    limit = settings.standstill_timeout
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(loop()) for loop in (health.beat, LoopGuard(limit=limit).run, *app.loops)]
        serving = tasks.create_task(server.serve(sockets=[listener]))
        await broker.start()
        watching = tasks.create_task(_watchdog(app, settings).run())
        gc.collect()
        gc.freeze()  # what was loaded at the start stays: no collection needs to walk it again
        log.info("started", port=listener.getsockname()[1])
        await stop.wait()
        log.info("stopping")
        asyncio.get_running_loop().call_later(settings.stop_timeout + CLOSE_TIMEOUT, _leave)
        health.draining = True
        watching.cancel()
        await _finish(app, settings.stop_timeout)
        for task in running:
            task.cancel()
        server.should_exit = True
        await serving


def _watchdog(app: App, settings: CommonSettings) -> Watchdog:
    return Watchdog(
        app.subscribers,
        Observer(settings.kafka_bootstrap_servers),
        end_standstill,
        stalled=app.stalled,
        limit=settings.standstill_timeout,
    )


async def _finish(app: App, seconds: float) -> None:
    """End what is in hand. What has not ended after `seconds` is left to its leases."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(subscriber.stop() for subscriber in app.subscribers))
            for drain in app.drain:
                await drain()
    except TimeoutError:
        _leave()


def _leave() -> NoReturn:
    """What has not ended by now would hang a close too; its leases know what to do. The last spans are lost."""
    log.warning("stopped_with_work_in_hand")
    os._exit(0)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signals to the runtime: the order of stopping is its business."""
        yield


def _checks(database: Database, broker: KafkaBroker, app: App) -> dict[str, Check]:
    async def consumers() -> bool:
        return all(consumes(subscriber) for subscriber in app.subscribers)

    return {
        "postgres": database.is_there,
        "kafka": lambda: broker_answers(broker),
        **({"consumers": consumers} if app.subscribers else {}),
        **app.checks,
    }


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises ConfigurationError with one line when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"port {port} on {host} cannot be used ({error.strerror}); stop what uses it or set HTTP_PORT"
        ) from None
    listener.setblocking(False)
    return listener


Result = TypeVar("Result")


class StoppedEarly(Exception):
    """Somebody stopped the process while it waited for its parts."""


async def insist(step: Callable[[], Awaitable[Result]], seconds: float, *, hint: str, stop: asyncio.Event) -> Result:
    """Repeat `step` while its infrastructure is not there.

    Raises InfrastructureError with `hint` after `seconds`, StoppedEarly once `stop` is set.
    """
    deadline = SYSTEM_CLOCK.monotonic() + seconds
    while True:
        try:
            return await step()
        except InfrastructureError as error:
            if SYSTEM_CLOCK.monotonic() > deadline:
                raise InfrastructureError(f"{error}; gave up after {seconds:g} s: {hint}") from None
            log.warning("waiting", error=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_EVERY)
                raise StoppedEarly from None


async def _connect(broker: KafkaBroker) -> None:
    try:
        await broker.connect()
    except (KafkaError, OSError) as error:
        raise InfrastructureError(f"kafka: {type(error).__name__}: {error}") from error
