"""What is in the examples? Formats in and out, decoding, splits and caches (see this folder's README)."""
