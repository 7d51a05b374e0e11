"""Readers of the parsed configuration, one for each framework. A key that is missing is a KeyError."""
