"""How does a finished network run? Graphs are built, joined, cut, formatted for the machine and run here."""
