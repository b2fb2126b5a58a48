"""Index classes: maps from parameters to the index of each comparison, and back."""
