"""Changes of a picture that do not change what it shows: drawn by seed and step, done for a whole batch at once."""
