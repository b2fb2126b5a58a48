"""Links: maps from the index to the probability that option 1 is preferred."""
