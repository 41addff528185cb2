"""A typed client of the gateway's API."""

from client.answers import (
    Answer,
    Invoice,
    InvoiceSummary,
    Job,
    JobSummary,
    Page,
    Profile,
    Results,
    Started,
    TimelineEntry,
    Token,
)
from client.errors import ApiError, ClientError, GatewayUnreachable, JobNotFinished
from client.gateway import GatewayClient

__all__ = [
    "Answer",
    "ApiError",
    "ClientError",
    "GatewayClient",
    "GatewayUnreachable",
    "Invoice",
    "InvoiceSummary",
    "Job",
    "JobNotFinished",
    "JobSummary",
    "Page",
    "Profile",
    "Results",
    "Started",
    "TimelineEntry",
    "Token",
]
