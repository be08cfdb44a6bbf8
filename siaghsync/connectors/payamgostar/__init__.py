"""payamgostar."""
