"""`check-apis`: what both systems answer, why one does not work, and what looks wrong."""
