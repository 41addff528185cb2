"""Who may go on watching, asked within the statement that they wait for."""

from collections.abc import Sequence
from typing import Any

from common.db.pool import Row
from gateway.domain.progress import Viewer

# JSON both ways: of an array of numbers the driver asks the server once for each connection what that is.
BARRED = """(
        SELECT coalesce(jsonb_agg(t.place), '[]') FROM ROWS FROM (
            jsonb_to_recordset($2::jsonb) AS (user_id uuid, generation int)
        ) WITH ORDINALITY AS t(id, generation, place)
        WHERE NOT EXISTS (
            SELECT FROM users u WHERE u.id = t.id AND u.is_active AND u.token_generation = t.generation
        )) AS barred"""
"""A column; `asked` gives its value, `barred` reads it."""


def asked(viewers: Sequence[Viewer]) -> list[dict[str, Any]]:
    return [viewer._asdict() for viewer in viewers]


def barred(row: Row, viewers: Sequence[Viewer]) -> frozenset[Viewer]:
    return frozenset(viewers[place - 1] for place in row["barred"])
