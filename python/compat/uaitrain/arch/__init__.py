"""Helpers by framework."""
