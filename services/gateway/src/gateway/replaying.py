"""The replay engine, wired: the stories for the routes, and the worker that runs in every replica."""

from dataclasses import dataclass
from datetime import timedelta

from common.clock import Clock
from common.db.pool import Database
from common.kafka import Announcer
from common.outcomes import MoveAnnouncer
from common.workers import Workers
from gateway.adapters.kafka_moves import KafkaMoves
from gateway.adapters.kafka_topics import KafkaTopics
from gateway.adapters.postgres_administrations import PostgresAdministrations
from gateway.adapters.postgres_archive import PostgresArchive
from gateway.adapters.postgres_editing import PostgresEdits
from gateway.adapters.postgres_failures import PostgresFailures
from gateway.adapters.postgres_replay_readings import PostgresReplayReadings
from gateway.adapters.postgres_replay_work import PostgresReplayWork
from gateway.adapters.postgres_replays import PostgresReplays
from gateway.adapters.worker_documents import WorkerDocuments
from gateway.domain.cursors import Cursors
from gateway.replay.editing import EditFailed
from gateway.replay.orders import ControlReplay, ReadFailures, ReadReplays, SetAside, StartReplay
from gateway.replay.stories import ReplayStories
from gateway.replay.worker import Replayer


@dataclass(frozen=True, slots=True)
class Replaying:
    """`workers` read and judge documents; they are to be closed at the end."""

    stories: ReplayStories
    replayer: Replayer
    workers: Workers


def build_replaying(
    database: Database, announcer: Announcer, cursors: Cursors, *, bootstrap: str, lease: timedelta, clock: Clock
) -> Replaying:
    """`bootstrap`: where topics are read that are to be replayed."""
    workers = Workers(1)
    documents, ours = WorkerDocuments(workers.run), PostgresAdministrations(database)
    moves = KafkaMoves(MoveAnnouncer(announcer, database, service="gateway"))
    replays, readings = PostgresReplays(database), PostgresReplayReadings(database)
    start = StartReplay(replays, readings, KafkaTopics(bootstrap), clock)
    stories = ReplayStories(
        read_failures=ReadFailures(PostgresFailures(database), cursors),
        edit=EditFailed(PostgresEdits(database), documents, ours, moves.announce, start),
        aside=SetAside(PostgresArchive(database)),
        start=start,
        read=ReadReplays(readings, cursors),
        control=ControlReplay(replays, readings),
    )
    replayer = Replayer(
        PostgresReplayWork(database, lease=lease),
        documents,
        ours,
        announce=moves.announce,
        publish=announcer.publish_raw,
        clock=clock,
    )
    return Replaying(stories, replayer, workers)
