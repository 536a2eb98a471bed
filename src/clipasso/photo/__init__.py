"""What becomes of a photo before anything draws: read, masked, zoomed (sections 5 and B)."""
