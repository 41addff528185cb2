"""Reads Dagster's storage every `EXPORTER_REFRESH` seconds and serves what it found, until SIGTERM."""

import signal
import threading
from collections.abc import Callable

import structlog
from dagster import DagsterInstance

from common.clock import SYSTEM_CLOCK
from common.errors import ConfigurationError
from common.observability.logging import configure_logging
from common.settings import exit_with, load_settings
from orchestration.exporter.families import page
from orchestration.exporter.history import History
from orchestration.exporter.serving import Shown, make_server
from orchestration.exporter.settings import ExporterSettings

log = structlog.get_logger()


def main() -> None:
    settings = load_settings(ExporterSettings)
    configure_logging(service="dagster-exporter", level=settings.log_level)
    shown = Shown(began_at=SYSTEM_CLOCK.monotonic())
    try:
        server = make_server(settings.http_host, settings.http_port, shown, SYSTEM_CLOCK.monotonic)
    except OSError as error:
        raise ConfigurationError(f"HTTP_PORT: {settings.http_port} cannot be used ({error.strerror})") from None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    log.info("started", port=server.server_port)
    home = str(settings.dagster_home)
    refresh(lambda: DagsterInstance.from_config(home), shown, stop, every=settings.exporter_refresh)
    server.shutdown()
    server.server_close()
    log.info("stopped")


def refresh(connect: Callable[[], DagsterInstance], shown: Shown, stop: threading.Event, *, every: float) -> None:
    """Read until `stop`. While the storage is away the last page stays and readiness says so."""
    history: History | None = None
    while not stop.is_set():
        try:
            history = history or History(connect())
            moment = history.read()
            shown.page = page(history.totals, moment, SYSTEM_CLOCK.now().timestamp())
            shown.read_at = SYSTEM_CLOCK.monotonic()
        except Exception as error:  # noqa: BLE001 - a storage of Dagster's raises what its driver raises
            log.warning("storage_not_read", error=f"{type(error).__name__}: {error}"[:500])
        shown.tried_at = SYSTEM_CLOCK.monotonic()
        stop.wait(every)


if __name__ == "__main__":
    try:
        main()
    except ConfigurationError as problem:
        exit_with(problem)
