"""The 2 AM schedule: a Dagster code location that asks for a job and follows it to its end.

Consumes: nothing on Kafka; the gateway's API tells how a job goes
Emits: jobs.requested.v1
Owns: Dagster's own database; no table of ours
"""
