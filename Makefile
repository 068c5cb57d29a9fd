# Packshot: every command sets up what it needs.  make demo | make test | make test-all | make setup | make lock
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

export PYTHONDONTWRITEBYTECODE=
export DO_NOT_TRACK=1
export PREFECT_SERVER_ANALYTICS_ENABLED=false

.PHONY: help setup demo test test-all fuzz lint types imports tests lock clean

help:
	@grep -E '^## ' Makefile | sed 's/^## //'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Packshot needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=python3.12, say."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Could not create $(VENV). On Debian: apt install python3-venv"; exit 1; }
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'from packshot.cutout.closed_form import load_solver; load_solver()'
	@touch $(STAMP)

## make setup   create .venv from the lock file
setup: $(STAMP)

## make demo    run the nightly line on the sample photographs, with its own S3, PostgreSQL and Prefect
demo: $(STAMP)
	@$(BIN)/packshot demo

## make test    lint, types, import rules and all tests but the slow ones
test: $(STAMP)
	@$(BIN)/packshot models fetch --quiet
	@$(BIN)/python .ci/checks.py

## make test-all  the same with the slow tests: what CI runs
test-all: $(STAMP)
	@$(BIN)/packshot models fetch --quiet
	@$(BIN)/python .ci/checks.py --all

## make fuzz SECONDS=600  changed files against every reader of outside bytes, for as long as you like
SECONDS ?= 60
fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS)

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

imports: $(STAMP)
	@$(BIN)/lint-imports

tests: $(STAMP)
	@$(BIN)/pytest

## make lock    resolve the dependencies again (needs uv: pip install uv)
lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra local --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .packshot
