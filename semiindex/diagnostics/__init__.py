"""Diagnostics: how wrong a fitted policy may be, and whether its assumptions hold."""

from semiindex.diagnostics.base import Diagnostic

__all__ = ["Diagnostic"]
