"""Waits that are constants in the services, shortened for a test that has to see their end."""

import os
from datetime import timedelta
from typing import Any

from common.invoice import stage


def install(service: str) -> None:
    """Before anything else of ours is imported that reads the constants."""
    if seconds := os.environ.get("CHAOS_WAKE"):  # noqa: TID251 - not a setting of the service
        stage.WAKE = {**stage.WAKE, stage.Stage.FETCHED: timedelta(seconds=float(seconds))}
    if os.environ.get("CHAOS_MEMBERSHIP") == "static":  # noqa: TID251
        _give_identity(service)


def _give_identity(service: str) -> None:
    """Each service has one consumer, so that its name is enough."""
    from common.kafka import Consumers  # noqa: PLC0415 - what it imports reads the constants

    original = Consumers.__init__

    def init(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **{"instance_id": f"chaos-{service}", **options})

    Consumers.__init__ = init  # type: ignore[method-assign]
