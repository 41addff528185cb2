"""Validated invoices to Clearfacts: each at most once by automatic action.

Consumes: invoices.validated.v1
Emits: invoices.outcomes.v1; invoices.validated.v1 for a row that was proven not to be accepted
Owns: attempts, alerts, destinations; rows in validated, sending, unknown, held (stated), sent, failed (its own)
"""
