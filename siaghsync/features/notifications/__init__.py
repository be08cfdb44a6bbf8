"""What others are told about a run: a cron monitor, an alert address, a metrics file."""
