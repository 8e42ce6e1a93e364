"""What of a picture a method may look at, as graphs from pixels to numbers: raw pixels, edges, both."""
