"""Ids that must not be mixed up. A source id is the backend's name of a document; a row id is ours."""

from typing import NewType
from uuid import UUID

InvoiceRowId = NewType("InvoiceRowId", UUID)
JobId = NewType("JobId", UUID)
AttemptNumber = NewType("AttemptNumber", int)
SourceId = NewType("SourceId", str)
Dossier = NewType("Dossier", str)
