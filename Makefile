# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev serve train report test check format lint types layers migrate bench soak fuzz clean

PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime-installed
DEV := .venv/.dev-installed

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(RUNTIME): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "recsys needs Python 3.11 to 3.13; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m recsys.training.warm
	@touch $@

$(DEV): $(RUNTIME)
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

setup: $(RUNTIME) ## make .venv and install the package
setup-dev: $(DEV)

serve: setup ## serve on 127.0.0.1:8000; trains first if there is no model
	@$(BIN)/recsys models show champion >/dev/null 2>&1; \
	if [ $$? -eq 4 ]; then $(BIN)/recsys train; fi
	$(BIN)/recsys serve

train: setup ## train on the embedded data and promote the version if it is not worse
	$(BIN)/recsys train

report: setup ## write the embedding analysis report to var/report
	$(BIN)/recsys report --out var/report

test: setup-dev ## run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: setup-dev format lint types layers test ## format, lint, types, import layers, tests: what CI runs

format: setup-dev
	$(BIN)/ruff format --check .

lint: setup-dev ## ruff
	$(BIN)/ruff check .

types: setup-dev ## mypy, strict on recsys and api
	$(BIN)/mypy

layers: setup-dev
	$(BIN)/lint-imports

bench: setup ## print the measured tables of the README and docs
	$(BIN)/python -m benchmarks

soak: setup-dev fuzz ## a million requests beside promotions, a training and a restart, after fuzz
	$(BIN)/python -m benchmarks.soak

fuzz: setup-dev ## ask a live server by schemathesis what its description allows and what not
	$(BIN)/python -m benchmarks.fuzz

migrate: setup ## bring the database to the newest schema
	$(BIN)/recsys db upgrade

clean: ## remove the environment, caches, models and reports
	rm -rf .venv var build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
