"""The base classes that users' classes extend."""
