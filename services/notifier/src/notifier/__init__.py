"""Tells people how every job ended, and what is still open.

Consumes: jobs.events.v1 (completed and failed lead to a message; the others are acknowledged)
Emits: nothing on Kafka; one Slack message for every finished job, late job and morning with open invoices
Owns: notifications; finished jobs without one, and late ones, are found by its sweep
"""
