"""invoice_report."""
