"""Stand-in for the parts of the old training SDK that scripts import. A real `uaitrain` package wins."""
