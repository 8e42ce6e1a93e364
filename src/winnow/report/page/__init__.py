"""The parts of the HTML report, one section a file, with its style sheet and its small script."""
