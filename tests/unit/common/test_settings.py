"""Settings: typed, from the environment or from files; what is wrong is one line without the secret."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from common.errors import ConfigurationError
from common.settings import CommonSettings, Seconds, Settings, exit_with, load_settings

SECRET = "s3cr3t-of-the-test"
GOOD = {"DATABASE_URL": f"postgresql://u:{SECRET}@h/d", "KAFKA_BOOTSTRAP_SERVERS": "h:9092"}


class Example(Settings):
    token: SecretStr
    pause: Seconds = timedelta(seconds=1)
    names: tuple[str, ...] = ()


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "TOKEN", "PAUSE", "NAMES", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def complaint(kind: type[Settings]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(kind)
    line = str(caught.value)
    assert "\n" not in line
    assert SECRET not in line
    assert caught.value.__cause__ is None
    return line


def test_a_secret_may_come_from_a_file(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    env.setenv("TOKEN_FILE", str(tmp_path / "token"))
    assert load_settings(Example).token.get_secret_value() == SECRET


def test_a_file_wins_over_the_variable(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file")
    env.setenv("TOKEN_FILE", str(tmp_path / "token"))
    env.setenv("TOKEN", "from the variable")
    assert load_settings(Example).token.get_secret_value() == "from the file"


def test_a_missing_setting_is_named_with_both_ways_to_give_it(env: pytest.MonkeyPatch) -> None:
    assert complaint(Example) == "TOKEN is not set; set the environment variable TOKEN or TOKEN_FILE"


def test_all_that_is_missing_is_told_at_once(env: pytest.MonkeyPatch) -> None:
    line = complaint(CommonSettings)
    assert "DATABASE_URL is not set" in line
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in line


def test_an_empty_variable_is_not_set(env: pytest.MonkeyPatch) -> None:
    env.setenv("TOKEN", "")
    assert "TOKEN is not set" in complaint(Example)


def test_a_file_that_is_not_there_is_named(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env.setenv("TOKEN_FILE", str(tmp_path / "absent"))
    line = complaint(Example)
    assert line.startswith("TOKEN_FILE: cannot read")
    assert "No such file" in line


def test_an_empty_file_is_no_secret(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    env.setenv("TOKEN_FILE", str(tmp_path / "token"))
    assert complaint(Example).startswith("TOKEN_FILE: ")


def test_a_file_that_is_not_text_is_named(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    env.setenv("TOKEN_FILE", str(tmp_path / "token"))
    assert complaint(Example).startswith("TOKEN_FILE: cannot read")


def test_a_list_that_is_no_json_is_one_line(env: pytest.MonkeyPatch) -> None:
    env.setenv("TOKEN", SECRET)
    env.setenv("NAMES", f"a,{SECRET}")
    assert complaint(Example).startswith("NAMES: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "70000"),
        ("HTTP_PORT", SECRET),
        ("STARTUP_TIMEOUT", "0"),
        ("STARTUP_TIMEOUT", "nan"),
        ("DATABASE_CONNECTIONS", "0"),
        ("ENVIRONMENT", SECRET),
        ("LOG_LEVEL", SECRET),
        ("LOG_FORMAT", SECRET),
    ],
)
def test_a_wrong_value_is_named_but_not_shown(env: pytest.MonkeyPatch, name: str, value: str) -> None:
    for key, good in GOOD.items():
        env.setenv(key, good)
    load_settings(CommonSettings)
    env.setenv(name, value)
    assert complaint(CommonSettings).startswith(f"{name}: ")


@pytest.mark.parametrize("level", ["debug", "INFO", "Warning", "error", "critical"])
def test_log_levels_are_taken_in_any_case(env: pytest.MonkeyPatch, level: str) -> None:
    for key, good in GOOD.items():
        env.setenv(key, good)
    env.setenv("LOG_LEVEL", level)
    assert load_settings(CommonSettings).log_level == level.lower()


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("0.5", 0.5), ("PT90S", 90), ("00:01:30", 90)])
def test_a_duration_is_seconds_or_iso(env: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    env.setenv("TOKEN", SECRET)
    env.setenv("PAUSE", text)
    assert load_settings(Example).pause.total_seconds() == seconds


def test_settings_show_no_secret_and_cannot_be_changed(env: pytest.MonkeyPatch) -> None:
    env.setenv("TOKEN", SECRET)
    settings = load_settings(Example)
    assert SECRET not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.token = SecretStr("other")


def test_a_wrong_setting_ends_the_process_with_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        exit_with(ConfigurationError("TOKEN is not set"))
    assert ended.value.code == 2
    assert capsys.readouterr().err == "cannot start: TOKEN is not set\n"
