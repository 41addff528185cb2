"""Job request to invoices: pages, duplicates, job life."""
