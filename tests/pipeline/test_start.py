"""What a sketch does not load: imports that take longer than its first steps."""

import subprocess
import sys

from skimage import data, io

HEAVY = ("timm", "torchvision", "open_clip", "torch._dynamo", "sympy", "matplotlib",
         "skimage.color.colorconv", "onnxruntime", "rembg")  # fmt: skip
CHILD = """
import sys

from clipasso.cli import run

status = run(["sketch", *sys.argv[2:]])
print(status, *(name for name in sys.argv[1].split() if name in sys.modules))
"""


def test_a_sketch_with_the_embedded_encoder_loads_no_more_than_it_needs(tmp_path):
    io.imsave(tmp_path / "cup.png", data.coffee()[:200:2, :200:2])
    words = [" ".join(HEAVY), str(tmp_path / "cup.png"), "-o", str(tmp_path / "out"), "--quiet",
             "--encoder", "efficientnet-lite0", "--iterations", "1", "--seeds", "1", "--strokes",
             "2", "--mask", "none"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0"], done.stderr
    assert (tmp_path / "out" / "cup.svg").is_file()
