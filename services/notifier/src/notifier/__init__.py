"""Tells people how every job ended, what is still open, what was corrected later, what tonight would do, every alert.

Consumes: jobs.events.v1 (completed and failed lead to a message; the others are acknowledged)
Emits: nothing on Kafka; to each channel (Slack, recipients of e-mail) each message once; webhooks: outcomes
Owns: notifications, webhook_health, webhook_deliveries, webhook_reader; finished jobs without a notification, and late
ones, are found by its sweep
"""
