# The words of this project. `make` alone lists them.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready
WORKERS ?= auto
# Where the data sets and a ViT-Tiny lie; only what measures needs them.
DATA ?= $(FEWCLICKS_DATA)
VIT ?= $(FEWCLICKS_VIT)
# By which rule of clicking `make tables` measures: ritm or m2n2.
RULE ?= ritm
# No line of compiled code can be counted as it runs, so these tests also run it as plain Python.
MARKOV = tests/unit/methods/markov/test_
KERNELS = tests/unit/methods/energy tests/unit/proposals/test_merge_tree.py \
	$(addprefix $(MARKOV),flood_fill.py threshold.py markov_map.py nearest_neighbour.py sinkhorn.py) \
	$(MARKOV)upsample.py::test_the_guide_may_have_one_channel_or_four
MEASURE = FEWCLICKS_VIT='$(VIT)' $(BIN)/fewclicks evaluate --data '$(DATA)' --resume

.DEFAULT_GOAL := help
.PHONY: help setup demo format check test test-all coverage docs bench tables tables-all sbom

help: ## List the words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

setup: $(READY) ## Make .venv and install everything into it

demo: setup ## Segment real photographs with the built-in default and show where the overlays are
	$(BIN)/fewclicks demo --out demo

format: setup ## Rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: setup ## Style, types, import rules, module length; edits nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/module_length.py

test: setup ## The fast tests
	$(BIN)/python -m pytest -m 'not long' -n $(WORKERS)

test-all: setup ## The long tests too
	$(BIN)/python -m pytest -n $(WORKERS)

coverage: setup ## Count the lines that the fast tests run; fails below 90 %
	$(BIN)/python -m pytest -m 'not long' -n $(WORKERS) --cov --cov-report=term:skip-covered
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(KERNELS) -W ignore::DeprecationWarning \
		--cov --cov-append --cov-report=term:skip-covered --cov-fail-under=90

docs: setup ## Run the examples that stand in the docs, and build the site into site/
	$(BIN)/python -m pytest --doctest-modules --doctest-glob='*.md' src docs README.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: setup ## Time our way against the baseline
	$(BIN)/fewclicks bench --size 854x480 --out benchmarks/results/854x480.json
	$(BIN)/fewclicks bench --size 12mp --out benchmarks/results/12mp.json

tables: setup ## Measure the README's table again: make tables DATA=... VIT=... [RULE=m2n2]
	$(MEASURE) configs/tables/speed.toml --out runs/tables/speed
	$(MEASURE) configs/tables/main.toml --rule $(RULE) --out runs/tables/$(RULE) --workers 2
	$(BIN)/python tools/measured_table.py runs/tables README.md

tables-all: setup ## Measure every way by both rules (12 hours; stopped, it goes on)
	$(MEASURE) configs/tables/all.toml --out runs/tables-all --workers 2

sbom: setup ## List what the package is made of (build/sbom.json) and its licences (docs/licences.md)
	mkdir -p build
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json $(BIN)/python
	$(BIN)/python tools/licences.py
