"""All stories of failures and replays, as the routes get them."""

from dataclasses import dataclass

from gateway.replay.editing import EditFailed
from gateway.replay.orders import ControlReplay, ReadFailures, ReadReplays, SetAside, StartReplay


@dataclass(frozen=True, slots=True)
class ReplayStories:
    read_failures: ReadFailures
    edit: EditFailed
    aside: SetAside
    start: StartReplay
    read: ReadReplays
    control: ControlReplay
