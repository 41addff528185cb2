"""Fetched invoices to verdicts: XSD and rules, in worker processes.

Consumes: invoices.fetched.v1
Emits: invoices.validated.v1, invoices.outcomes.v1
Owns: rows in fetched
"""
