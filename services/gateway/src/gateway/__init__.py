"""The HTTP face: sign-in, jobs, invoices."""
