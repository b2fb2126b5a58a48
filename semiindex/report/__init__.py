"""The report of a fit as one file, and the command line."""
