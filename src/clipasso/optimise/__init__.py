"""The loop: rasterise, augment, encode, compare, step (sections 3.1 and 3.2)."""
