"""What travels between services: topics, events, headers. Additive evolution only."""
