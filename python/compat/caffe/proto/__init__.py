"""The one message that classes which predict read."""
