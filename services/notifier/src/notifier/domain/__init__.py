"""The pure rules of telling people: when to try again, what a job looks like, and how it is said."""
