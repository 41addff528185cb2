"""Calls to systems of others."""
