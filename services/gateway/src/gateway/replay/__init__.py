"""The replay engine: one over failed rows, unreadable records and announcements of a topic. Stories and their rules."""
