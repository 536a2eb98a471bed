"""The house: few doors on the top floor, and no circle of imports between its rooms."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import clipasso

HOUSE = Path(clipasso.__file__).parent
MOST = 12


def imports(tree, for_types=False):
    """Modules of the package that are imported, but for those that only annotations need."""
    for node in ast.iter_child_nodes(tree):
        inside = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("clipasso."):
            if not for_types:
                yield node.module
        else:
            yield from imports(node, for_types or inside)


def room_of(path):
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def test_the_top_floor_has_few_entries():
    visible = [p for p in HOUSE.iterdir() if p.name[0] not in "_." and p.name != "py.typed"]
    assert len(visible) <= MOST, sorted(p.name for p in visible)


def test_rooms_do_not_import_each_other_in_circles():
    rooms: dict[str, set[str]] = {}
    for path in HOUSE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = {module.split(".")[1] for module in imports(tree)}
        rooms.setdefault(room_of(path), set()).update(found - {room_of(path)})
    assert "optimise" in rooms["pipeline"]
    TopologicalSorter(rooms).prepare()  # raises CycleError where there is one


@pytest.mark.parametrize("room", [p.name for p in HOUSE.iterdir() if (p / "__init__.py").is_file()])
def test_the_map_names_every_room(room):
    text = HOUSE.parents[1] / "docs" / "architecture.md"
    if not text.is_file():
        pytest.skip("an installation without the docs")
    assert f"`{room}/`" in text.read_text(encoding="utf-8")
