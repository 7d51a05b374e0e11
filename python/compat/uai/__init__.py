"""Stand-in for the parts of the old inference SDK that users' classes import. A real `uai` package wins."""
