"""Saved plans: a dry run writes down what it would do, and a later run carries out exactly that."""
