# make sketch   sketch an example photo into sketches/
# make studio   sketch in a browser (ARGS="--port 9000" and other options of clipasso studio)
# make test     lint, type-check and test
# make benchmarks   measure, and make the tables of docs/performance.md anew (about an hour on a quiet machine;
#                   ONLY=start,raster some of it, PHOTOS="..." of these photos, AGAINST=REV with this version before)
# make docs     a site of docs/, every command and the library in build/site, links checked
# make dist     wheel and sdist in dist/, installed and tried (BORROW=.venv takes the dependencies from there)
# make clean    remove what these made
#
# Each makes its own .venv from pyproject.toml; PYTHON picks the interpreter (3.11 to 3.13).

PYTHON ?= python3
BIN := .venv/bin

.PHONY: sketch studio test benchmarks docs dist clean

sketch: .venv/installed
	$(BIN)/python examples/photos.py sketches/photos
	$(BIN)/clipasso sketch sketches/photos/$(EXAMPLE) -o sketches --strokes $(STROKES) --force

studio: .venv/installed-ui
	$(BIN)/clipasso studio $(ARGS)

test: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist worksteal

benchmarks: .venv/installed-test
	$(BIN)/python examples/photos.py sketches/photos
	$(BIN)/python benchmarks/run_all.py $(PHOTOS) $(if $(ONLY),--only $(ONLY)) $(if $(AGAINST),--against $(AGAINST)) \
	  $(if $(AGAIN),--again) $(if $(SMALLEST),--smallest)

docs: .venv/installed-docs
	$(BIN)/python tools/pages.py build
	$(BIN)/zensical build --config-file build/site.toml --strict --clean
	$(BIN)/python tools/check_site.py build/site

dist:
	$(PYTHON) tools/dist.py $(if $(BORROW),--borrow $(BORROW))

clean:
	rm -rf .venv sketches benchmarks/results build dist

EXAMPLE ?= coffee.png
STROKES ?= 32
PHOTOS ?= $(patsubst %,sketches/photos/%.png,coffee chelsea rocket astronaut)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "clipasso needs Python 3.11 to 3.13; name one with  make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-ui: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[ui]'
	touch $@ .venv/installed

.venv/installed-test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@ .venv/installed .venv/installed-ui

.venv/installed-docs: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	touch $@ .venv/installed
