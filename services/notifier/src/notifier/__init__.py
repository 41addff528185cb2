"""Tells people how every job ended, what is still open, what was corrected later, and every alert.

Consumes: jobs.events.v1 (completed and failed lead to a message; the others are acknowledged)
Emits: nothing on Kafka; Slack: each finished job, late job, open morning, correction and alert once; webhooks: outcomes
Owns: notifications, webhook_health, webhook_deliveries, webhook_reader; finished jobs without a notification, and late
ones, are found by its sweep
"""
