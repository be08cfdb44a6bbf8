"""`explain`: the life of one customer or document in plain sentences."""
