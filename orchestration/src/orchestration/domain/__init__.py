"""The pure rules of the schedule: what a run asks for, how far its job is, whether the night went well."""
