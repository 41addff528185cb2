"""Tells people how every job ended.

Consumes: jobs.events.v1 (completed and failed lead to a message; the others are acknowledged)
Emits: nothing on Kafka; one Slack message for every finished job
Owns: notifications; finished jobs without one are found by its sweep
"""
