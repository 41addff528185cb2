"""UBL documents: safe parsing, identity, reading model, rules."""
