"""What people see: tables and lines, and the terminal that they go to."""
