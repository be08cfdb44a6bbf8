"""HTTP requests with a time limit, repeated only where that does no harm."""
