"""The `dead_letters` table."""

from collections.abc import Sequence

import orjson

from common.contracts.dead_letters import Unreadable
from common.contracts.topics import Group
from common.db.pool import Database


class PostgresDeadLetters:
    """Keeps a record once per (cluster, topic, partition, offset, group, hash)."""

    def __init__(self, database: Database, cluster: str) -> None:
        self._database = database
        self._cluster = cluster

    async def keep(self, group: Group, records: Sequence[Unreadable]) -> None:
        await self._database.execute(
            """INSERT INTO dead_letters
                   (cluster, topic, partition, record_offset, consumer_group, sha256, record_key, value, headers, cause)
               SELECT $1, t.topic, t.partition, t.record_offset, $2, t.sha256, t.record_key, t.value,
                      t.headers::jsonb, t.cause
               FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[],
                           $10::text[])
                   AS t(topic, partition, record_offset, sha256, record_key, value, headers, cause)
               ON CONFLICT DO NOTHING""",
            self._cluster,
            group.value,
            [r.topic for r in records],
            [r.partition for r in records],
            [r.offset for r in records],
            [r.sha256 for r in records],
            [r.key for r in records],
            [r.value for r in records],
            [orjson.dumps(r.headers).decode() for r in records],
            [r.cause for r in records],
        )
