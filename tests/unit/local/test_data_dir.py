"""One data directory: its lock, its secrets and its logs."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.data_dir import held, is_held
from local.errors import LocalError


def test_a_second_instance_is_told_who_runs_there(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from local.data_dir import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "data")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout is not None
    first.stdout.readline()

    with pytest.raises(LocalError, match=rf"another instance \(pid {first.pid}\) runs on"), held(tmp_path / "data"):
        pass
    assert is_held(tmp_path / "data")

    first.communicate()
    with held(tmp_path / "data"):
        assert is_held(tmp_path / "data")
    assert not is_held(tmp_path / "data")


def test_fresh_wipes_all_but_the_lock(tmp_path: Path) -> None:
    with held(tmp_path / "data") as data:
        (data.folder("postgres") / "file").touch()
        before = data.secret("postgres")

    with held(tmp_path / "data", fresh=True) as data:
        assert [path.name for path in data.root.iterdir()] == ["lock"]
        assert data.secret("postgres") != before


def test_a_folder_with_something_else_in_it_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(LocalError, match="neither empty nor a data directory"), held(tmp_path, fresh=True):
        pass

    assert (tmp_path / "thesis.txt").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LocalError, match="cannot write the data directory"), held(tmp_path / "file" / "data"):
        pass


def test_a_secret_stays_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with held(tmp_path / "data") as data:
        first = data.secret("admin")

        assert data.secret("admin") == first
        assert len(first) >= 32
        assert data.secret_file("admin").stat().st_mode & 0o777 == 0o600


def test_the_last_three_logs_are_kept(tmp_path: Path) -> None:
    with held(tmp_path / "data") as data:
        for number in range(1, 6):
            data.log_of("kafka").write_text(str(number))
            data.rotate_log("kafka")

        texts = {path.name: path.read_text() for path in (data.root / "logs").iterdir()}
    assert texts == {"kafka.1.log": "5", "kafka.2.log": "4", "kafka.3.log": "3"}
