"""Validated invoices to Clearfacts: each at most once by automatic action.

Consumes: invoices.validated.v1
Emits: invoices.outcomes.v1
Owns: attempts; rows in validated, sending, unknown, sent, failed (refused)
"""
