"""Which rung earned its place? The climb, its evidence and its verdict."""
