"""`verify`: compares every linked customer in both systems, field by field, and names what is not in step."""
