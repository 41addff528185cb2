"""What every service shares: contracts, the invoice state machine, and wiring."""
