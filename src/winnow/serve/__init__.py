"""How other programs ask for predictions: a small server on this machine, its workers and its clients."""
