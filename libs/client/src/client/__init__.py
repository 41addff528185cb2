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
from client.held import Choice, Comparison, Held, HeldSummary, Resolved
from client.switches import Flipped, Pause, Paused

__all__ = [
    "Answer",
    "ApiError",
    "Choice",
    "ClientError",
    "Comparison",
    "Flipped",
    "GatewayClient",
    "GatewayUnreachable",
    "Held",
    "HeldSummary",
    "Invoice",
    "InvoiceSummary",
    "Job",
    "JobNotFinished",
    "JobSummary",
    "Page",
    "Pause",
    "Paused",
    "Profile",
    "Resolved",
    "Results",
    "Started",
    "TimelineEntry",
    "Token",
]
