# Two commands do everything: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PROGRAMS := $(VENV)/programs
SERVERS := $(VENV)/servers
SERVICES := $(VENV)/services

.DEFAULT_GOAL := help
.PHONY: help setup demo test servers check golden bench lock catalogue catalogue-lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## Make the virtual environment with the locked dependencies

$(STAMP): tests/requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "oscompile needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q compiler
	@touch $@

$(PROGRAMS)/kubectl: $(STAMP) tests/programs.lock
	$(BIN)/python tests/programs.py $(PROGRAMS)
	@touch $@

# Debian's real servers in a directory; where they cannot be had it says why, and their tests are skipped.
$(SERVERS)/.ready: $(STAMP) tests/servers/root.py
	@mkdir -p $(SERVERS)
	$(BIN)/python tests/servers/root.py $(SERVERS)/root
	@test ! -d $(SERVERS)/root || touch $@

# The services that the charts run, below the servers; nothing where there are none.
$(SERVERS)/.services: $(SERVERS)/.ready tests/services.lock tests/servers/services.py
	$(BIN)/python tests/servers/services.py $(SERVERS)/root
	@touch $@

# Services of OpenStack, whose own validator judges what the charts render.
$(SERVICES)/.ready: $(STAMP) tests/services.lock
	$(PYTHON) -m venv $(SERVICES)
	$(SERVICES)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/services.lock
	@touch $@

demo: $(STAMP) ## Compile env/site-a
	$(BIN)/oscompile env/site-a

test: $(STAMP) $(PROGRAMS)/kubectl $(SERVICES)/.ready ## Run every test but those on real servers (make servers)
	$(BIN)/pytest -n auto --dist loadscope --ignore tests/servers

# Two workers for each core: these tests wait half of their time, for elections and for patience to end.
servers: $(STAMP) $(PROGRAMS)/kubectl $(SERVERS)/.services ## Run the charts on real servers (Debian, root), and write the tables of docs/resilience.md from it
	@rm -f $(SERVERS)/report.jsonl
	$(BIN)/pytest -n $$((2 * $$(nproc))) --dist loadscope tests/servers
	$(BIN)/python -m tests.servers.report $(SERVERS)/report.jsonl

check: $(STAMP) ## Lint, types, the import contract, the documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/docs

golden: $(STAMP) $(PROGRAMS)/kubectl ## Write the golden files anew and show what changed
	$(BIN)/pytest --quiet -n auto tests/golden tests/cli tests/docs --update-goldens
	git --no-pager diff --stat -- golden tests README.md charts

bench: $(STAMP) $(PROGRAMS)/kubectl ## Measure compiles of 10, 100 and 1,000 instances, ordering 100,000 edges, and the proof of survival
	$(BIN)/python tests/bench/bench.py
	$(BIN)/python tests/bench/survival.py

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header pyproject.toml --group dev -c requirements.lock -o tests/requirements.lock

catalogue: $(STAMP) ## Write the catalogue of options anew from the packages of each release (Python 3.11)
	$(BIN)/python -m compiler.catalogue.build
	git --no-pager diff --stat -- compiler/catalogue

catalogue-lock: $(STAMP) ## Resolve the packages that the catalogue is made of (needs uv)
	$(BIN)/python -m compiler.catalogue.build --lock

clean: ## Remove what the build made, and nothing else
	rm -rf $(VENV) .oscompile
