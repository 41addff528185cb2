"""Dagster's processes as parts: code server, daemon, web interface, and the exporter of their metrics."""

from collections.abc import Mapping, Sequence
from functools import partial

from local.infrastructure import Infrastructure
from local.part import Part
from local.probes import http_answers, port_accepts
from orchestration.home import HEALTH_PATH, processes, write_home

DAGSTER = "dagster"


async def dagster_parts(infrastructure: Infrastructure, settings: Mapping[str, str]) -> Sequence[Part]:
    """Write Dagster's home and make its database where PostgreSQL is ours; without it Dagster keeps files."""
    home = infrastructure.data.folder(DAGSTER)
    names = [f"{DAGSTER}-{name}" for name in ("code-server", "daemon", "webserver", "exporter")]
    code_server, daemon, webserver, exporter = names
    code, web, numbers = (infrastructure.port(name) for name in (code_server, webserver, exporter))
    database = await infrastructure.create_database(DAGSTER) if "postgres" in infrastructure.names else ""
    write_home(home, code_server_port=code, postgres=bool(database))
    argv = processes(home, code_server_port=code, webserver_port=web)
    env = {"DAGSTER_HOME": str(home), "DAGSTER_POSTGRES_URL": database, **settings}
    made = partial(Part, env=env, folder=home, after=frozenset({code_server}))
    return [
        made(
            name=code_server,
            argv=argv.code_server,
            ready=partial(port_accepts, code),
            port=code,
            after=infrastructure.names,
        ),
        made(name=daemon, argv=argv.daemon, ready=_at_once),
        made(name=webserver, argv=argv.webserver, ready=partial(http_answers, web, HEALTH_PATH), port=web),
        made(
            name=exporter,
            argv=argv.exporter,
            env={**env, "HTTP_PORT": str(numbers)},
            ready=partial(http_answers, numbers),
            port=numbers,
        ),
    ]


async def _at_once() -> bool:
    return True  # the daemon has no port; its heartbeat is a row
