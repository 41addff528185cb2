"""The failure vocabulary: what the machine must do, not what went wrong.

Adapters translate at their edge into one of these; `common.kafka.consumer` and the sweepers act on them in one place.
"""


class ClearfactsError(Exception):
    """Root of every error that this product raises on purpose."""


class RetryableError(ClearfactsError):
    """Try this one item again later; the others go on."""


class PermanentError(ClearfactsError):
    """Trying again gives the same answer: park the item with its cause."""


class InfrastructureError(ClearfactsError):
    """A part that everything needs is not there (broker, database): wait, never fail an item for it."""


class ConfigurationError(ClearfactsError):
    """The process cannot start as configured; the message is one line that says what to do."""


class RowFault(PermanentError):
    """SQLSTATE classes 22, 23 and 54: one of the rows is at fault; halve the batch until it is found."""


class DatabaseTimeout(RetryableError):
    """The work took too long: halve it and try again, never park anything for it."""


class Deadlock(RetryableError):
    """Try again at once."""
