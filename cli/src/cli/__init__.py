"""clearfacts: what ops type."""
