"""Where strokes begin: saliency x edges, sampled, and strokes along the edges (section 3.3)."""
