"""What people see on the terminal: the two streams, tables and lines, and the results of runs, reviews and status."""
