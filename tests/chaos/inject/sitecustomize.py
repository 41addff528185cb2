"""Loaded by Python's start in a process under test (PYTHONPATH): the service's own code and command are unchanged."""
