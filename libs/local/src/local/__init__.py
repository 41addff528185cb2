"""The whole system on one machine, without Docker or root; also starts what the tests need."""
