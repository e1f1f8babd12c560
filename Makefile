# `make run` and `make test` need Python 3.11 or newer, and make; everything else goes into .venv.
# Each environment has a stamp: nothing is installed again until pyproject.toml or the lock file changes.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements-dev.lock
RUN := $(VENV)/installed-run
DEV := $(VENV)/installed-dev
DOCS := $(VENV)/installed-docs
DOCS_GALLERY ?= 1
NOTEBOOKS = $(wildcard notebooks/*.ipynb)

SUITABLE := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help run test lint types format claims claims-full figures docs benchmark budget lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: $(RUN) ## install what is needed, run the quickstart and print where its figure is
	@$(BIN)/banditlab

test: lint types ## install what is needed, then lint, types, tests and notebooks
	@$(BIN)/python -m pytest -n 2 --dist loadfile --durations=10 $(if $(NOTEBOOKS),--nbmake --nbmake-timeout=120 $(NOTEBOOKS)) tests

lint: $(DEV) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV) ## mypy on the package
	@$(BIN)/mypy

format: $(DEV) ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

claims: $(RUN) ## every claim at its quick budget, with its control
	@$(BIN)/banditlab claims

claims-full: $(RUN) ## every claim at its full budget
	@$(BIN)/banditlab claims --full

figures: $(RUN) ## every figure of paper_figures/
	@set -e; for script in $(sort $(wildcard paper_figures/*.py)); do \
		echo "$$script"; $(BIN)/python "$$script"; \
	done

docs: $(DOCS) ## the documentation, with its gallery (DOCS_GALLERY=0: without pictures of experiments and claims)
	@DOCS_GALLERY=$(DOCS_GALLERY) $(BIN)/python -m sphinx -q -W --keep-going -E -d build/doctrees docs build/docs
	@echo "$(CURDIR)/build/docs/index.html"

benchmark: $(RUN) ## nanoseconds a round, beside a NumPy loop and a C++ loop
	@$(BIN)/python benchmarks/run.py

budget: $(RUN) ## time of import, compilation, first figure and a study, beside their budgets
	@$(BIN)/python benchmarks/budget.py --study

# One environment serves both stamps; one whose creation was interrupted is begun afresh.
define install
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		$(if $(PYTHON),$(PYTHON),false) -c '$(SUITABLE)' 2>/dev/null || { \
			echo "banditlab needs Python 3.11 or newer with its venv module;" \
				"name one with: make PYTHON=/path/to/python3" >&2; exit 1; }; \
		echo "Creating $(VENV) with $(PYTHON)"; \
		$(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing $(1) into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) --editable '$(1)'
endef

$(RUN): pyproject.toml $(LOCK)
	$(call install,.)
	@touch $@

$(DEV): pyproject.toml $(LOCK)
	$(call install,.[dev])
	@touch $(RUN) $@

$(DOCS): pyproject.toml $(LOCK)
	$(call install,.[docs])
	@touch $(RUN) $@

lock: ## resolve the newest versions of every extra into the lock file
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/python" -m pip install --quiet --editable '.[dev,docs,notebooks,dask,launchers]'; \
	{ echo "# Versions the project is developed with, used as pip constraints. Made by: make lock"; \
		"$$folder/bin/python" -m pip freeze --exclude-editable; } > "$$folder/lock"; \
	cp "$$folder/lock" $(LOCK)

clean: ## remove the environment, build products and caches; results/ stays
	rm -rf $(VENV) build dist docs/generated .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
