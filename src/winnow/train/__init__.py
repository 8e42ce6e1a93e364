"""How does a network learn? One loop, and what it stands on (README.md). Needs the extra 'deep'."""
