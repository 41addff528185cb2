"""Job request to invoices: lists the Java backend page by page, finds duplicates, opens and closes jobs.

Consumes: jobs.requested.v1
Emits: invoices.fetched.v1, invoices.outcomes.v1, jobs.events.v1
Owns: jobs, job_pages, invoice_keys, administrations, watermarks, dry_runs, dry_run_items;
rows in failed (but the sender's), duplicate, held
"""
