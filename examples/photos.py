"""Write the example photos, CC0 pictures that scikit-image ships, as PNG files.

python examples/photos.py FOLDER
"""

import sys
from pathlib import Path

from PIL import Image
from skimage import data

PHOTOS = {"chelsea": data.chelsea, "coffee": data.coffee, "rocket": data.rocket,
          "astronaut": data.astronaut}  # fmt: skip


def main(folder: Path) -> None:
    """Write each photo that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, load in PHOTOS.items():
        path = folder / f"{name}.png"
        if not path.exists():
            Image.fromarray(load()).save(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/photos.py FOLDER")
    main(Path(sys.argv[1]))
