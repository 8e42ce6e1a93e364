"""What is asked? One folder a task: what goes in, what comes out, how it is judged, its rungs."""
