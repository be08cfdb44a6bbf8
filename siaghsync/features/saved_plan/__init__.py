"""saved_plan."""
