"""What is wrong with a dataset, as a list of things to do: look, mend as a new version, undo."""
