"""What came of an attempt, and what that makes of its row."""

from sender.domain.deliveries import Accepted, Claim, Delivery, NotAccepted, OutcomeUnknown, ReadBack, Refused
from sender.domain.settlement import Outcome, Settlement, release, settle

__all__ = [
    "Accepted",
    "Claim",
    "Delivery",
    "NotAccepted",
    "Outcome",
    "OutcomeUnknown",
    "ReadBack",
    "Refused",
    "Settlement",
    "release",
    "settle",
]
