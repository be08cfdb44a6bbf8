"""Clients of the two systems, and the HTTP session below them. Each vendor's names stand in its own package only."""
