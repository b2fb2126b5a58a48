"""Drivers that see only an objective and an index class."""
