# What a person does with this project: `make help` lists it. Everything needed is installed by the targets themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
CUSTOMERS ?= 40000
FIRM ?= build/maison-riviere

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.product: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.product requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

install: $(VENV)/.product ## the product in .venv

demo: $(VENV)/.product ## the simulated firm: made, run and served (SERVE=0 stops after the run)
	$(BIN)/parcours demo $(FIRM) --customers $(CUSTOMERS) $(if $(filter 0,$(SERVE)),--no-serve,--serve)

grocery: $(VENV)/.dev ## the real grocery example: 1.5 million lines of 2,469 households
	$(BIN)/parcours run examples/grocery

loans: $(VENV)/.product ## the real loan example: needs BPIC2012=/path/to/folder
	PARCOURS_PLACE_BPIC2012="$(BPIC2012)" $(BIN)/parcours run examples/loans

browser:
	@command -v chromium >/dev/null 2>&1 || sh scripts/install-browser || true

services:
	@sh scripts/install-services || true

clients: build/clients/.installed

# The JavaScript clients that the tests run, at exact versions; without npm they are skipped, and the tests say so.
build/clients/.installed: tests/clients/package.json
	@mkdir -p build/clients && cp tests/clients/package.json build/clients/
	@cd build/clients && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --silent && touch .installed \
	  || echo "THE JAVASCRIPT CLIENTS COULD NOT BE INSTALLED: their tests are skipped"

lint: $(VENV)/.dev ## format, style, types and import contracts
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: $(VENV)/.dev browser services clients lint ## every check and every test
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.dev ## every figure that the documentation quotes, printed with the machine
	for script in benchmarks/*.py; do $(BIN)/python $$script; done

torture: $(VENV)/.dev ## the long forms of the tests that hurt (TORTURE="kill_ingest fuzz" chooses; scripts/torture/run --list)
	$(BIN)/python scripts/torture/run $(TORTURE)

wheel: $(VENV)/.dev ## build the wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what these targets made
	rm -rf $(VENV) build dist

.PHONY: help install demo grocery loans browser services clients lint test bench torture wheel clean
