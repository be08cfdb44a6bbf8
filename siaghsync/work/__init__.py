"""The steps of a run, from reading to settling."""
