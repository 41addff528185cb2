"""The logs and a support bundle of a running system have what helps, and nobody's name, number or secret."""

import asyncio
import json
import sys
import zipfile
from pathlib import Path

import pytest

from common.db.pool import connect
from local.system import SERVICES
from tests.support.system import running_system


async def bundle_of(folder: Path, url: str, logs: Path, password: str) -> dict[str, str]:
    """What the command writes for somebody who is signed in."""
    environment = {"XDG_CONFIG_HOME": str(folder), "CLEARFACTS_URL": url, "PATH": "/usr/bin:/bin"}
    path = folder / "bundle.zip"
    for words, typed in (
        (["login", "-u", "admin", "--password-stdin"], password),
        (["support-bundle", "--output", str(path), "--logs", str(logs)], ""),
    ):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", *words, env=environment, cwd=folder,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(f"{typed}\n".encode()), 60)
        assert process.returncode == 0, said.decode()
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


@pytest.mark.timeout(180)
async def test_neither_the_logs_nor_a_bundle_name_a_supplier_a_number_or_a_secret(
    tmp_path: Path,
) -> None:
    sandbox = {"SANDBOX_COUNT": "200", "SANDBOX_DUPLICATES": "10", "SANDBOX_MALFORMED": "10", "SANDBOX_REFUSED": "10"}
    data, desk = tmp_path / "data", tmp_path / "desk"
    desk.mkdir()
    async with running_system(data, sandbox=sandbox) as running:
        await running.finish(await running.start_job())
        database = await connect(running.infrastructure.database_url, application="test", connections=1)
        named = await database.fetch(
            """SELECT DISTINCT unnest(ARRAY[supplier, supplier_name, customer, customer_name, dossier]) AS name
               FROM invoices"""
        )
        await database.close()
        secrets = [path.read_text(encoding="ascii") for path in (data / "secrets").iterdir() if path.is_file()]
        lines = {name: (data / "logs" / f"{name}.log").read_text() for name in SERVICES}
        files = await bundle_of(desk, running.system.gateway_url, data / "logs", running.system.admin_password)
    names = [row["name"].split(":")[-1] for row in named if row["name"]]
    assert len(names) > 10
    assert len(secrets) >= 2
    for name, text in {**files, **lines}.items():
        found = [private for private in (*names, *secrets) if len(private) > 3 and private in text]
        assert not found, f"{name}: {found[:3]}"
    assert {"README.txt", "summary.json", "status.json", "logs/sender.log", "logs/postgres.log"} <= set(files)
    summary = json.loads(files["summary.json"])
    assert summary["errors"] == []
    assert summary["system"]["settings"]["DATABASE_URL"] == "set"
    assert summary["jobs"][0]["results"]["total_invoices"] == 200
    for text in lines.values():  # ready for a machine as they are: an object a line, nothing of a document
        assert {"@timestamp", "log.level", "message", "service.name"} <= set.intersection(
            *(set(json.loads(line)) for line in text.splitlines())
        )
        assert "Invoice" not in text
    assert '"event.action": "settings"' in files["logs/validator.log"]
