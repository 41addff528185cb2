"""The composition root: faces made from settings, and the process that serves them until SIGTERM."""

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Literal, TypeAlias

import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError

from sandbox import oracle
from sandbox.catalogue import Catalogue, CorpusCatalogue, FolderCatalogue
from sandbox.destination import Destination
from sandbox.faults import Behaviour
from sandbox.invoices import LINES, Corpus
from sandbox.ledger import Ledger
from sandbox.received import MAIL_FILE, SLACK_FILE, TRACES_FILE
from sandbox.settings import Settings
from sandbox.slack import Slack
from sandbox.source import Source
from sandbox.traces import Traces
from sandbox.web import Handler, Listener, listen

Face: TypeAlias = Literal["source", "destination", "slack", "traces", "mail"]
FACES: tuple[Face, ...] = ("source", "destination", "slack", "traces", "mail")
log = logging.getLogger("sandbox")


def build_source(settings: Settings, _: ExitStack) -> Handler:
    catalogue: Catalogue
    if settings.folder is not None:
        catalogue = FolderCatalogue(settings.folder)
    else:
        catalogue = CorpusCatalogue(build_corpus(settings))
        if settings.warm:
            catalogue.warm()
    return Source(catalogue, token=settings.token.get_secret_value()).routes()


def build_corpus(settings: Settings) -> Corpus:
    return Corpus(
        settings.seed,
        settings.count,
        duplicates=settings.duplicates,
        changed=settings.changed,
        malformed=settings.malformed,
        invalid=settings.invalid,
        refused=settings.refused,
        unknown=settings.unknown,
        lines=LINES[settings.corpus],
    )


def build_destination(settings: Settings, closing: ExitStack) -> Handler:
    ledger = Ledger(
        settings.data_dir / oracle.FILE,
        key_life=settings.key_life,
        lookup_lag=settings.lookup_lag,
        durable=settings.fsync,
    )
    closing.callback(ledger.close)
    return Destination(
        ledger,
        token=settings.token.get_secret_value(),
        behaviour=Behaviour(latency=settings.latency, jitter=settings.jitter, rules=settings.rules),
        conflicts=settings.conflicts,
    ).routes()


def build_slack(settings: Settings, closing: ExitStack) -> Handler:
    slack = Slack(settings.data_dir / SLACK_FILE)
    closing.callback(slack.close)
    return slack.routes()


def build_traces(settings: Settings, closing: ExitStack) -> Handler:
    traces = Traces(settings.data_dir / TRACES_FILE)
    closing.callback(traces.close)
    return traces.routes()


async def build_mail(settings: Settings, closing: ExitStack) -> Handler:
    """Takes mail from now on; what is served is what it took."""
    from sandbox.mail import Mail  # noqa: PLC0415 - its library is loaded by those who ask for this face

    mail = Mail(settings.data_dir / MAIL_FILE)
    closing.callback(mail.close)
    server = await mail.serve(settings.mail_port, settings.host)
    closing.callback(server.close)
    return mail.routes()


_BUILDERS: dict[Face, Callable[[Settings, ExitStack], Handler]] = {
    "source": build_source,
    "destination": build_destination,
    "slack": build_slack,
    "traces": build_traces,
}


async def serve(settings: Settings, faces: Sequence[Face], stop: asyncio.Event) -> None:
    """Serves until `stop` is set. Raises OSError when a port is taken, ValueError for settings that cannot be."""
    ports = {
        "source": settings.source_port,
        "destination": settings.destination_port,
        "slack": settings.slack_port,
        "traces": settings.traces_port,
        "mail": settings.mailbox_port,
    }
    with ExitStack() as closing:
        listeners: list[Listener] = []
        for face in faces:
            handler = await build_mail(settings, closing) if face == "mail" else _BUILDERS[face](settings, closing)
            listener = await listen(handler, ports[face], settings.host)
            closing.callback(listener.stop)
            listeners.append(listener)
            log.info("%s listens on http://%s:%d", face, settings.host, listener.port)
        await stop.wait()


async def _until_signalled(settings: Settings, faces: Sequence[Face]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, faces, stop)


def main(*faces: Face) -> int:
    """The exit status; what is wrong with the settings or the machine is one line on stderr."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    allow_many_connections()
    try:
        uvloop.run(_until_signalled(Settings(), faces or FACES))
    except ValidationError as wrong:
        return _complain("; ".join(f"SANDBOX_{_name(error['loc'])}: {error['msg']}" for error in wrong.errors()))
    except SettingsError as wrong:  # of pydantic-settings: a value that must be JSON is not
        return _complain(f"{wrong}: JSON is needed")
    except (OSError, ValueError, oracle.LogInUseError) as wrong:
        return _complain(str(wrong))
    return 0


def _complain(what: str) -> int:
    sys.stderr.write(f"the sandbox cannot start: {what}\n")
    return 2


def _name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location).upper()


def allow_many_connections() -> None:
    """Thousands of clients need more files than the usual soft limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
