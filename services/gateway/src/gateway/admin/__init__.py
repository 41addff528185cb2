"""The stories of admins: users, the audit log, configuration, and how the whole system is."""
