"""Nothing: the server has its own endpoints. Here so that `import seldon_core.wrapper` works."""
