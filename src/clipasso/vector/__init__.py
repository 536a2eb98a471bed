"""The sketch as a value, its geometry, its files, and pictures of it."""
