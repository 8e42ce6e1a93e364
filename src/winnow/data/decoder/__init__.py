"""Decoding behind a wall: child processes that may be slow, greedy or crash, and take nothing else with them."""
