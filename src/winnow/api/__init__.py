"""What can a Python program ask? The verbs of Winnow; the command line and the studio call the same ones."""
