# Packshot: every command sets up what it needs.  make demo | make test | make test-all | make docs | make release
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
LOOPS  := $(VENV)/.compiled
TOOLS  := .venv-tools
RENDER := .venv-render

export PYTHONDONTWRITEBYTECODE=
export DO_NOT_TRACK=1
export PREFECT_SERVER_ANALYTICS_ENABLED=false

.PHONY: help setup demo test test-ci test-all coverage explore docs release audit tools samples picture fuzz lint types imports tests lock clean

help:
	@grep -E '^## ' Makefile | sed 's/^## //'

$(STAMP): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Packshot needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=python3.12, say."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Could not create $(VENV). On Debian: apt install python3-venv"; exit 1; }
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python .ci/install.py requirements.lock --checkout
	@touch $(STAMP)

# What numba compiles once on a machine, on both cores. Whoever needs it earlier compiles it too, which only costs time.
COMPILE = $(BIN)/python -c 'from packshot.cutout.closed_form import load_solver; load_solver()' & solver=$$!; \
	$(BIN)/python -c 'from packshot.formats.jpeg_codes import load_walk; from packshot.formats.jpeg_lossless import load_lossless_walk; from packshot.formats.jpeg_progressive import load_progressive_walk; load_walk(); load_lossless_walk(); load_progressive_walk()' && wait $$solver && touch $(LOOPS)

$(LOOPS): $(STAMP)
	@$(COMPILE)

## make setup   create .venv from the lock file
setup: $(STAMP) $(LOOPS)

## make demo    run the nightly line on the sample photographs, with its own S3, PostgreSQL and Prefect
demo: $(STAMP)
	@test -e $(LOOPS) || { $(COMPILE); } & $(BIN)/packshot demo; ended=$$?; wait; exit $$ended

## make test    lint, types, import rules and all tests but the slow ones
test: $(STAMP) $(LOOPS)
	@$(BIN)/packshot models fetch --quiet
	@$(BIN)/python .ci/checks.py

## make test-ci   the same with a third of the slow tests, by the commit: what CI runs
test-ci: $(STAMP) $(LOOPS)
	@$(BIN)/packshot models fetch --quiet
	@$(BIN)/python .ci/checks.py --third

## make test-all  the same with all slow tests
test-all: $(STAMP) $(LOOPS)
	@$(BIN)/packshot models fetch --quiet
	@$(BIN)/python .ci/checks.py --all

## make coverage  the lines and branches of packshot/ that no quick test of it runs; WHAT=tests/packshot/qc: of those tests only; fails below the floor
WHAT ?= tests/packshot
coverage: $(STAMP)
	@$(BIN)/coverage run -m pytest -q -m "not slow" $(WHAT)
	@$(BIN)/coverage report

## make fuzz SECONDS=600  changed files against every reader of outside bytes, for as long as you like
SECONDS ?= 60
fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS)

## make explore   the property tests with new examples, a thousand each; what fails is printed with its input
explore: $(STAMP)
	@$(BIN)/python -m pytest -q -m hypothesis --hypothesis-profile=explore

# The tools for the documents' site and for releases live apart, so that `make setup` stays small.
$(TOOLS)/.ready: requirements-tools.lock
	@test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	@echo "Installing the tools for documents and releases into $(TOOLS) ..."
	@$(TOOLS)/bin/python .ci/install.py requirements-tools.lock
	@touch $@

tools: $(TOOLS)/.ready

$(RENDER)/.ready: requirements-render.lock
	@test -x $(RENDER)/bin/python || $(PYTHON) -m venv $(RENDER)
	@echo "Installing the renderer of the sample photographs into $(RENDER) ..."
	@$(RENDER)/bin/python .ci/install.py requirements-render.lock
	@touch $@

## make samples NAMES="BTL204_MAIN"  render the sample photographs again, or those named; see samples/SOURCES.md
samples: $(RENDER)/.ready
	@$(RENDER)/bin/python -m samples.render $(NAMES)

## make picture  the README's first picture again, by one `packshot edit` for each photograph
picture: $(STAMP) $(LOOPS)
	@$(BIN)/python -m samples.before_after

## make docs    the documents as a searchable site in build/docs; any warning stops it
docs: $(TOOLS)/.ready
	@$(TOOLS)/bin/sphinx-build -q -n -E -a -W --keep-going -c docs/site . build/docs
	@echo "Open build/docs/index.html"

## make release  wheel, source archive, list of parts (CycloneDX) and licences in dist/; see docs/releasing.md
release: $(STAMP) $(TOOLS)/.ready
	@$(BIN)/python -m hatchling build -d dist
	@$(TOOLS)/bin/python .ci/shipped.py dist

## make audit   known vulnerabilities of the locked libraries; needs the network, and says so
audit: $(TOOLS)/.ready
	@$(TOOLS)/bin/python .ci/audit.py

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

imports: $(STAMP)
	@$(BIN)/lint-imports

tests: $(STAMP)
	@$(BIN)/pytest

## make lock    resolve the dependencies again
RESOLVED := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: $(STAMP)
	$(RESOLVED) --extra local --extra dev --extra several-servers -o requirements.lock pyproject.toml
	$(RESOLVED) --group tools -o requirements-tools.lock
	$(RESOLVED) --group render -o requirements-render.lock
	$(RESOLVED) --group uv -o requirements-uv.lock

clean:
	rm -rf $(VENV) $(TOOLS) $(RENDER) .packshot build dist
