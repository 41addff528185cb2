"""Who may go on watching, asked within the statement that they wait for."""

from collections.abc import Sequence
from uuid import UUID

from common.db.pool import Row
from gateway.domain.progress import Viewer

BARRED = """ARRAY(SELECT t.place FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS t(id, generation, place)
        WHERE NOT EXISTS (
            SELECT FROM users u WHERE u.id = t.id AND u.is_active AND u.token_generation = t.generation
        )) AS barred"""
"""A column; `asked` gives its values, `barred` reads it."""


def asked(viewers: Sequence[Viewer]) -> tuple[list[UUID], list[int]]:
    return [viewer.user_id for viewer in viewers], [viewer.generation for viewer in viewers]


def barred(row: Row, viewers: Sequence[Viewer]) -> frozenset[Viewer]:
    return frozenset(viewers[place - 1] for place in row["barred"])
