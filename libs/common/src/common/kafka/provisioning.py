"""Topics are made by us, never by a client that misspells one: `ensure_topics` is idempotent."""

from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from common.contracts.topics import LOCAL_PARTITIONS, MAX_RECORD_BYTES, TopicSpec, all_topics
from common.errors import InfrastructureError
from common.settings import Environment

_SMALL = frozenset({Environment.LOCAL, Environment.DEVELOPMENT})


def new_topic(spec: TopicSpec, environment: Environment) -> NewTopic:
    """The topic as it is made in `environment`: small and unreplicated on one machine, three replicas elsewhere."""
    small = environment in _SMALL
    return NewTopic(
        name=spec.name,
        num_partitions=min(spec.partitions, LOCAL_PARTITIONS) if small else spec.partitions,
        replication_factor=1 if small else 3,
        topic_configs={
            "retention.ms": str(spec.retention // timedelta(milliseconds=1)),
            "min.insync.replicas": "1" if small else "2",
            "unclean.leader.election.enable": "false",
            "max.message.bytes": str(MAX_RECORD_BYTES),
        },
    )


async def ensure_topics(bootstrap_servers: str, environment: Environment) -> None:
    """Create what is missing. Raises InfrastructureError when the broker is not there or refuses."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, client_id="provisioning")
    try:
        await admin.start()
        response: Any = await admin.create_topics([new_topic(spec, environment) for spec in all_topics()])
        for name, code, *message in response.topic_errors:
            error = for_code(code)
            if code != 0 and error is not TopicAlreadyExistsError:
                raise InfrastructureError(f"kafka: topic {name} cannot be made: {error.__name__} {message}")
    except (KafkaError, OSError) as error:
        raise InfrastructureError(f"kafka: {type(error).__name__}: {error}") from error
    finally:
        await admin.close()
