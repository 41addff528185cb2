"""A typed client of the gateway's API."""

from client.admin import (
    AuditEntry,
    Breaker,
    ConfigurationDetail,
    ConfigurationEntry,
    ConfigurationVersion,
    Dependency,
    GroupLag,
    ServiceSign,
    SystemStatus,
    UiConfig,
    User,
)
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
    "AuditEntry",
    "Breaker",
    "CauseGroup",
    "Choice",
    "ClientError",
    "Comparison",
    "ConfigurationDetail",
    "ConfigurationEntry",
    "ConfigurationVersion",
    "Dependency",
    "Differences",
    "Edited",
    "ExportedFile",
    "Failed",
    "FailedSummary",
    "Flipped",
    "GatewayClient",
    "GatewayUnreachable",
    "GroupLag",
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
    "ServiceSign",
    "StageCount",
    "Stages",
    "Started",
    "SystemSettings",
    "SystemStatus",
    "TimelineEntry",
    "Token",
    "UiConfig",
    "User",
]
