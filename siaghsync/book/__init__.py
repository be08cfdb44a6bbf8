"""The book of all that can go wrong, wait or be passed over: sentence, cause and cure, in Persian and English."""
