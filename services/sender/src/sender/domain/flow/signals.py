"""What a delivery says of the destination, whatever it says of the document."""

from enum import StrEnum
from typing import assert_never

from sender.domain.deliveries import Accepted, Delivery, NotAccepted, OutcomeUnknown, Refused


class Signal(StrEnum):
    WELL = "well"  # it answers as it should, perhaps by refusing a document
    THROTTLED = "throttled"  # well, and asking for fewer
    FAILING = "failing"  # cannot be reached, stumbles, is silent, or does not take our token


def signal(delivery: Delivery) -> Signal:
    match delivery:
        case NotAccepted(everyone=True, throttled=True):
            return Signal.THROTTLED
        case NotAccepted(everyone=True) | OutcomeUnknown(everyone=True):
            return Signal.FAILING
        case Accepted() | Refused() | NotAccepted() | OutcomeUnknown():
            return Signal.WELL
        case _:
            assert_never(delivery)
