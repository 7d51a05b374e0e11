"""Frames of videos and streams."""
