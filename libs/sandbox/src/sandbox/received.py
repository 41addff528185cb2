"""The files in which the receivers keep what they took, one JSON line each: read them without the receivers."""

SLACK_FILE = "slack.jsonl"
MAIL_FILE = "mail.jsonl"
TRACES_FILE = "traces.jsonl"
