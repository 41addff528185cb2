"""Giving a database back what it has forgotten, from the claims and ends on `invoices.outcomes.v1`."""
