"""The engine behind the door: a bounded queue, one single-threaded worker process a core, and swaps without a gap."""
