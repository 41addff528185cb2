"""A Java backend, a Clearfacts and a Slack to develop against."""
