"""What the exporter is told by its environment; `DAGSTER_HOME` and what `dagster.yaml` names are Dagster's own."""

from pathlib import Path

from pydantic import Field

from common.settings import LogLevel, Settings


class ExporterSettings(Settings):
    dagster_home: Path = Field(description="the folder of dagster.yaml")
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65535)
    log_level: LogLevel = "info"
    exporter_refresh: float = Field(default=15.0, gt=0, description="seconds between two readings of Dagster's storage")
