"""Images in JSON."""
