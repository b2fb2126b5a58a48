"""Objectives on the index vector: value and gradient, for a known or a profiled link."""
