"""What keeps the local system from running."""


class LocalError(Exception):
    """One line for a person: what is wrong and what to do about it."""
