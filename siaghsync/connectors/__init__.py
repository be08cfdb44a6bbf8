"""The ways to the two systems: HTTP, and what each vendor's records look like on the wire."""
