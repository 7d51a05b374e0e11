"""Helpers for pytorch scripts."""
