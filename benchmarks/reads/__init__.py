"""How long the gateway's reads take at a million invoices, over HTTP, idle and beside a running job."""
