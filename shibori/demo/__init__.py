"""The demonstration: a whole search on handwritten digits, with a server and workers of its own."""
