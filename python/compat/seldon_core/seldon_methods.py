"""Nothing: the server calls user code itself. Here so that `import seldon_core.seldon_methods` works."""
