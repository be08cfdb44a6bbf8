"""`links`: the linked pairs as a table and as a file, pairs taken over from a file, and links taken out."""
