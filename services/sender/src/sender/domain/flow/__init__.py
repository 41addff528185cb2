"""How much the destination bears: what an answer says of it, how many calls at once, when to leave it alone."""

from sender.domain.flow.aimd import Aimd
from sender.domain.flow.breaker import Change, Standing, begin_probe, close_after, reopen, trip
from sender.domain.flow.bucket import Bucket, chunk
from sender.domain.flow.signals import Signal, signal
from sender.domain.flow.window import Window

__all__ = [
    "Aimd",
    "Bucket",
    "Change",
    "Signal",
    "Standing",
    "Window",
    "begin_probe",
    "chunk",
    "close_after",
    "reopen",
    "signal",
    "trip",
]
