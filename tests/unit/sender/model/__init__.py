"""The sender's decisions under every order of events: one row by search, many rows by hypothesis."""
