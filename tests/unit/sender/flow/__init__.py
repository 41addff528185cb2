"""What the destination bears: the pure rules, the gate, its keeper, and all of it over half an hour."""
