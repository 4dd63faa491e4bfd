# make demo: a live hearing on this machine.  make test: every test.  make check: what a commit must pass.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
# Two hundred processes of a run read the same modules: whoever forbids Python to keep what it compiled
# has all of them compile it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick check format bench faults setup setup-dev
demo: setup ## Starts the demonstration on http://127.0.0.1:$(PORT)
	@PORT=$(PORT) $(BIN)/pingyi demo $(DEMO)

setup: $(VENV)/.ready ## The application's own environment, from hashed pins
$(VENV)/.ready: requirements.txt pyproject.toml tools/setup.sh
	@sh tools/setup.sh $(PYTHON) requirements.txt $@

setup-dev: $(VENV)/.ready-dev ## The same with what tests and checks need
$(VENV)/.ready-dev: requirements-dev.txt pyproject.toml tools/setup.sh
	@sh tools/setup.sh $(PYTHON) requirements-dev.txt $@
	@touch $(VENV)/.ready

test: setup-dev ## Every test, with real PostgreSQL, Redis and Chromium
	@sh tools/system-packages.sh
	@$(BIN)/python -m pytest -m alone
	@$(BIN)/python -m pytest -m "not alone" -n 4 --dist loadgroup

quick: setup-dev ## What needs no system packages, in two minutes
	@$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not system and not alone"

check: setup-dev ## Format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --no-logo & layers=$$!; $(BIN)/mypy && wait $$layers

bench: setup-dev ## The live path against references, measured in one run (docs/benchmarks.md)
	@$(BIN)/python -m bench.run $(BENCH)

faults: setup-dev ## Everything that may break is broken, at full size: an hour (docs/faults.md)
	@sh tools/system-packages.sh
	@$(BIN)/python -m tests.faults.run $(FAULTS)
	@$(BIN)/python -m tests.secrecy.run

format: setup-dev ## Puts the code into its one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
