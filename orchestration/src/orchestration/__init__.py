"""The 2 AM schedule."""
