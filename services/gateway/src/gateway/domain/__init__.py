"""Pure rules of the gateway: who may do what, what may be asked, what an answer holds."""
