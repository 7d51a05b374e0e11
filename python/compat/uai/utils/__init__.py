"""Small things of the old tools that users' code imports too."""
