"""For those who run the system: alerts, what waits where, versions and settings."""

from uuid import UUID

from client.answers import Page
from client.connection import Connection, given
from client.shapes import Alert, JobNotification, JobNotifications, Stages, SystemSettings


class OperationCalls(Connection):
    def alerts(self, *, state: str = "open", limit: int = 50, cursor: str | None = None) -> Page[Alert]:
        """`open`, `closed` or `all`; newest first."""
        query = given({"state": state, "limit": limit, "cursor": cursor})
        return self._call("GET", "/api/v1/alerts", Page[Alert], params=query)

    def report(self, kind: str, subject: str, *, why: str, do: str | None = None, severity: str = "warning") -> Alert:
        """Ask for a person; the open alert of that kind and subject where there is one. Repeating it is safe."""
        body = {"kind": kind, "subject": subject, "severity": severity, "details": given({"why": why, "do": do})}
        return self._call("POST", "/api/v1/alerts", Alert, json=body)

    def notifications(self, job_id: UUID | str) -> list[JobNotification]:
        """What people were told of a job, oldest first."""
        return self._call("GET", f"/api/v1/jobs/{job_id}/notifications", JobNotifications).items

    def close_alert(self, alert_id: UUID | str, *, reason: str) -> Alert:
        """Close one that tells of something past; the others close by themselves."""
        return self._call("POST", f"/api/v1/alerts/{alert_id}/close", Alert, json={"reason": reason})

    def stages(self) -> Stages:
        """How many invoices wait at each stage."""
        return self._call("GET", "/api/v1/system/stages", Stages)

    def system_settings(self) -> SystemSettings:
        """Versions and settings of the gateway, without secrets."""
        return self._call("GET", "/api/v1/system/settings", SystemSettings)
