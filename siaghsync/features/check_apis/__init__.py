"""check_apis."""
