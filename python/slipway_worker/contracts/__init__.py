"""One adapter for each class contract: what a call means for a user object of that kind."""
