"""Many photos, each sketched once: sources, the manifest, the work, and pages to look at."""

from clipasso.pipeline.batch.run import Summary, batch, gallery

__all__ = ["Summary", "batch", "gallery"]
