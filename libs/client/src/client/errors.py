"""How a call can fail. Each message is one line that can be shown as it is."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Root of everything that this package raises on purpose."""


class GatewayUnreachable(ClientError):
    """No answer: nobody there, or the connection broke. Whether a request was carried out is then not known."""


class JobNotFinished(ClientError):
    """`wait` ran out of time; the job goes on."""


class ApiError(ClientError):
    """The gateway's answer is an error envelope, or no envelope at all (`code` is then `NOT_AN_ENVELOPE`)."""

    def __init__(
        self, *, status: int, code: str, message: str, details: Mapping[str, Any], correlation_id: str | None
    ) -> None:
        super().__init__(f"{message} ({code}, correlation id {correlation_id or 'unknown'})")
        self.status = status
        self.code = code
        self.message = message
        self.details = dict(details)
        self.correlation_id = correlation_id
