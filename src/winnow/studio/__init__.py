"""studio/: what does a person see? Pages that call the same functions as the command line."""
