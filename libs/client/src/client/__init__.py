"""A typed client of the gateway's API."""

from client.answers import (
    Answer,
    Invoice,
    InvoiceSummary,
    Job,
    JobCancelled,
    JobProgress,
    JobSummary,
    Page,
    Profile,
    Results,
    Started,
    TimelineEntry,
    Token,
)
from client.documents import Differences, Reading
from client.errors import ApiError, ClientError, GatewayUnreachable, JobNotFinished
from client.failures import Archived, CauseGroup, Edited, Failed, FailedSummary
from client.gateway import GatewayClient
from client.held import Choice, Comparison, Held, HeldSummary, Resolved
from client.invoices import ExportedFile, InvoiceCriteria
from client.operations import Alert, StageCount, Stages, SystemSettings
from client.recovery import Recovered
from client.replays import Preview, Replay, ReplayItem, ReplayStarted, ReplaySummary
from client.switches import Flipped, Pause, Paused

__all__ = [
    "Alert",
    "Answer",
    "ApiError",
    "Archived",
    "CauseGroup",
    "Choice",
    "ClientError",
    "Comparison",
    "Differences",
    "Edited",
    "ExportedFile",
    "Failed",
    "FailedSummary",
    "Flipped",
    "GatewayClient",
    "GatewayUnreachable",
    "Held",
    "HeldSummary",
    "Invoice",
    "InvoiceCriteria",
    "InvoiceSummary",
    "Job",
    "JobCancelled",
    "JobNotFinished",
    "JobProgress",
    "JobSummary",
    "Page",
    "Pause",
    "Paused",
    "Preview",
    "Profile",
    "Reading",
    "Recovered",
    "Replay",
    "ReplayItem",
    "ReplayStarted",
    "ReplaySummary",
    "Resolved",
    "Results",
    "StageCount",
    "Stages",
    "Started",
    "SystemSettings",
    "TimelineEntry",
    "Token",
]
