"""Fetched invoices to verdicts."""
