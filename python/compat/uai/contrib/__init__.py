"""Helpers that users' classes import."""
