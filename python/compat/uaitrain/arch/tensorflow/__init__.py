"""Helpers for tensorflow scripts."""
