"""The gateway, through its client."""

from http import HTTPStatus
from uuid import UUID

from client import ApiError, GatewayClient, GatewayUnreachable, Job
from common.errors import InfrastructureError, PermanentError
from orchestration.domain import JobState

_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class ClientGateway:
    """`client` has credentials, so that a token that expires in a long job is replaced."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    def job(self, job_id: UUID) -> JobState | None:
        try:
            return _state(self._client.job(job_id))
        except GatewayUnreachable as error:
            raise InfrastructureError(str(error)) from error
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND and error.code != "NOT_AN_ENVELOPE":
                return None
            if error.status in _REFUSED:
                raise PermanentError(f"{error}; check GATEWAY_USERNAME and GATEWAY_PASSWORD") from error
            raise InfrastructureError(str(error)) from error


def _state(job: Job) -> JobState:
    counts = job.results.model_dump(exclude={"amounts"}) if job.finished else {}
    return JobState(job.status, counts, f"{job.error.code}: {job.error.message}" if job.error else None)
