"""How do pictures come in? Where they come from, how the import goes, and what it left out and why."""
