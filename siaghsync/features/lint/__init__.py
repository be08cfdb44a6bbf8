"""`lint`: looks over both systems' customers before the first write, and names what is odd about them."""
