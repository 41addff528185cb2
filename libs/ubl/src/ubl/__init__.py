"""UBL documents: safe parsing, identity, reading model, difference, rules. No event loop, broker or database."""
