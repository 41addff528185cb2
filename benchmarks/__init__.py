"""Measurements: what this system reaches beside what could be reached, in one run (docs/performance.md)."""
