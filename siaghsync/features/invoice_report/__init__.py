"""`report invoices`: each CRM document of a fiscal year, what became of it in Finance, and sums that add up."""
