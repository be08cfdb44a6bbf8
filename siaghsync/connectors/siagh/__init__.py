"""siagh."""
