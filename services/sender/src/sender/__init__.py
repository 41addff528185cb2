"""Validated invoices to Clearfacts."""
