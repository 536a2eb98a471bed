"""The example notebook runs from top to bottom, as it stands, with few steps."""

import os
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "sketch.ipynb"
if not NOTEBOOK.is_file():
    pytest.skip("an installation without the examples", allow_module_level=True)
nbformat = pytest.importorskip("nbformat", reason="nbclient, which runs notebooks, is not here")
nbclient = pytest.importorskip("nbclient", reason="nbclient, which runs notebooks, is not here")
pytest.importorskip("ipykernel", reason="ipykernel, which notebooks run in, is not here")


RUN = pytest.mark.slow  # half a minute, most of it starting a kernel


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """By name, as they are once all have run."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebook")
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, "STEPS": "2"})
    return {cell.id: cell for cell in notebook.cells} | {"folder": folder}


def shown(cell):
    """The kinds of what a cell shows."""
    return {kind for out in cell.outputs for kind in out.get("data", {})}


def test_it_is_stored_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == 10
    assert not any(cell.outputs or cell.execution_count for cell in code)


@RUN
def test_every_cell_shows_what_it_says(cells):
    pictures = {"photo": "image/png", "sketch": "image/svg+xml", "saliency": "image/png",
                "live": "image/svg+xml", "ladder": "image/png", "style": "image/png",
                "animation": "image/svg+xml", "rasterize": "image/svg+xml"}  # fmt: skip
    assert {name: kind in shown(cells[name]) for name, kind in pictures.items()} == dict.fromkeys(
        pictures, True
    )
    assert "<Sketch" in cells["values"].outputs[0].text


@RUN
def test_the_live_cell_shows_the_last_preview(cells):
    """A display handle changes its own output: one picture, and it is no longer the first."""
    live = [out for out in cells["live"].outputs if "data" in out]
    drawn = [out.data["image/svg+xml"] for out in live if "image/svg+xml" in out.data]
    sketch = cells["sketch"].outputs[-1].data["image/svg+xml"]
    assert drawn[0].count("<path") == 8
    assert sketch.count("<path") == 16


@RUN
def test_it_writes_its_files(cells):
    assert (cells["folder"] / "coffee.svg").stat().st_size > 1000
    assert (cells["folder"] / "coffee.gif").read_bytes()[:4] == b"GIF8"
