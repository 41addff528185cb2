"""Invoices as people look at them: listed, searched, read, explained, taken away as a file."""
