"""Kafka and PostgreSQL, from the exporters of others: KMinion, postgres_exporter, and the kubelet's volumes."""

from deploy.observability.dashboards.panels import RATE, Dashboard, Row, lines, rate, stat

FULL = (
    "max by (namespace, persistentvolumeclaim) "
    "(kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes)"
)
HIT, READ = rate("pg_stat_database_blks_hit", "datname"), rate("pg_stat_database_blks_read", "datname")

KAFKA = Row("Kafka", [
    stat("Brokers", "count(count by (broker_id) (kminion_kafka_broker_log_dir_size_total_bytes))"),
    stat("Clusters seen", "count(kminion_kafka_cluster_info)"),
    lines("Records written", (rate("kminion_kafka_topic_high_water_mark_sum", "topic_name"), "{{topic_name}}"),
          unit="ops"),
    lines("Kept on disk", ("sum by (topic_name) (kminion_kafka_topic_log_dir_size_total_bytes)", "{{topic_name}}"),
          unit="bytes", stacked=True),
    lines("Kept by each broker", ("kminion_kafka_broker_log_dir_size_total_bytes", "{{broker_id}}"), unit="bytes"),
    lines("Consumers of a group", ("kminion_kafka_consumer_group_members", "{{group_id}}")),
])  # fmt: skip
POSTGRES = Row("PostgreSQL", [
    stat("There", "min(pg_up)"),
    stat("Connections used", "sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)", "percentunit",
         bad=0.8),
    stat("Standby behind", "max(pg_replication_lag_seconds)", "s", bad=5),
    lines("Transactions",
          (rate("pg_stat_database_xact_commit", "datname"), "{{datname}}"),
          (rate("pg_stat_database_xact_rollback", "datname"), "{{datname}} rolled back"), unit="ops"),
    lines("Found in memory", (f"{HIT} / ({HIT} + {READ} > 0)", "{{datname}}"), unit="percentunit"),
    lines("Size", ("max by (datname) (pg_database_size_bytes)", "{{datname}}"), unit="bytes"),
    lines("Deadlocks", (f"sum by (datname) (increase(pg_stat_database_deadlocks[{RATE}]))", "{{datname}}")),
])  # fmt: skip
VOLUMES = Row("Volumes", [
    lines("Full", (f"1 - {FULL}", "{{namespace}} {{persistentvolumeclaim}}"), unit="percentunit", width=12),
])  # fmt: skip

STORES = Dashboard(
    uid="clearfacts-stores",
    title="Clearfacts / Kafka and Postgres",
    says="Needs KMinion (job kafka) and postgres_exporter (job postgres); panels of one that does not run stay empty.",
    rows=[KAFKA, POSTGRES, VOLUMES],
)
