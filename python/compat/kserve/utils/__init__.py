"""Helpers of models."""
