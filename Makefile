# Everything starts here; `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STEP := @sh toolchain/step.sh
stack ?= testing
what ?= test

.PHONY: help up down status preview repair drill gate test check tools kubernetes benchmark machines cluster crashes database faults format lock secrets \
    generated evidence cold clean

help: ## Say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

up: $(VENV)/.ready kubernetes ## The whole platform on this computer, as root: make up stack=production
	@$(RUN) -m lab --stack $(stack) up

down: ## Remove all of it, and prove that it is gone
	@$(RUN) -m lab --stack $(stack) down

status: ## Machines and services of the lab, as a table
	@$(RUN) -m lab --stack $(stack) status

preview: $(VENV)/.ready tools ## The program's plan for a stack, no root needed: its Proxmox has records, not machines
	@$(RUN) -m lab --stack $(stack) preview

repair: $(VENV)/.ready tools ## After a killed run on real iron: take what it left into the state
	@eval "$$($(PYTHON) -m toolchain --env)"; $(RUN) -m ops.repair $(stack)

drill: $(VENV)/.ready tools ## Prove that the backups can be restored: make drill stack=production
	@eval "$$($(PYTHON) -m toolchain --env)"; $(RUN) -m ops.drill $(stack)

gate: $(VENV)/.ready tools ## Refuse a plan that loses data or quorum, but for what waivers.yaml lets go: make gate stack=production
	@eval "$$($(PYTHON) -m toolchain --env)"; $(RUN) -m ops.gate $(stack)

test: check tools ## Everything: the quick checks, then the real engine, real SSH servers, real machines
	$(STEP) "Programs that play a host" sh toolchain/servers.sh
	$(STEP) "Tests on the real things" $(RUN) -m pytest -m "(engine or ssh) and not machines and not cluster and not crashes" -n 2 --dist loadfile
	@# Always at the same places: a commit must not fail for a draw that `make crashes` is there to make.
	$(STEP) "Some runs that go wrong" env CRASH_SPREAD=6 CRASH_SEED=$${CRASH_SEED-6} $(RUN) -m pytest -m "crashes and not machines" -n 2 --dist load
	@if $(RUN) -m lab can; then \
	    sh toolchain/step.sh "Tests on Debian machines" $(RUN) -m pytest -m "machines and not cluster and not database and not crashes" \
	        -n 2 --dist loadfile; \
	else echo "  NOT TESTED: Debian machines, for the reasons above"; fi

check: $(VENV)/.ready ## The inner loop: format, lint, types, unit tests
	$(STEP) "Format" $(VENV)/bin/ruff format --check .
	$(STEP) "Lint" $(VENV)/bin/ruff check .
	$(STEP) "Types" $(VENV)/bin/mypy
	$(STEP) "Unit tests" $(RUN) -m pytest -m "not engine and not ssh and not machines and not cluster" -n 2

tools: ## Obtain pulumi, its language host and its plugins
	@$(PYTHON) -m toolchain

kubernetes: tools ## Build what the lab has for Kubernetes
	@$(PYTHON) -m toolchain --cluster

$(VENV)/.ready: requirements-dev.txt toolchain/virtualenv.sh
	$(STEP) "Python packages" sh toolchain/virtualenv.sh $(PYTHON) $(VENV) requirements-dev.txt

benchmark: $(VENV)/.ready tools ## Measure beside Ansible, Mitogen and pyinfra (half an hour; leave the machine alone)
	$(STEP) "Programs that play a host" sh toolchain/servers.sh
	@$(RUN) -m benchmarks

machines: $(VENV)/.ready tools ## Only the tests on the lab's machines, as root
	$(STEP) "Tests on Debian machines" $(RUN) -m pytest -m "machines and not cluster and not database and not crashes" -n 2 --dist loadfile

cluster: $(VENV)/.ready kubernetes ## The tests on Kubernetes, as root (an hour; not in `make test`)
	$(STEP) "Tests on Kubernetes" $(RUN) -m pytest -m cluster --dist loadfile

crashes: $(VENV)/.ready tools ## First runs killed, refused, left unanswered at drawn places, as root (a quarter of an hour; `make test` has some)
	$(STEP) "Runs that go wrong" $(RUN) -m pytest -m crashes -n 2 --dist load

database: $(VENV)/.ready kubernetes ## The database tier, its backups and its day 2 on three machines, as root (half an hour; not in `make test` yet)
	$(STEP) "Tests of the database tier" $(RUN) -m pytest -m database --ignore-glob='*/test_fault_*'

faults: $(VENV)/.ready tools ## Every fault of the database tier under load, and the page of what came of it, as root (an hour a round)
	@$(RUN) -m tests.faults

format: $(VENV)/.ready ## Format and mend what a machine can
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

lock: $(VENV)/.ready ## Resolve pyproject.toml into the two requirements files, with hashes
	@LOCK="$(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --no-emit-index-url --quiet"; \
	$$LOCK --output-file requirements.txt; \
	$$LOCK --group dev --constraints requirements.txt --output-file requirements-dev.txt

secrets: $(VENV)/.ready tools ## Set the secrets and identities of a stack: make secrets stack=production
	@eval "$$($(PYTHON) -m toolchain --env)"; $(RUN) -m ops.secrets $(stack)

generated: $(VENV)/.ready ## Write what follows from the code: README's picture, the editors' schema, the short list
	@$(RUN) -m ops.picture > docs/platform.svg
	@$(RUN) -m ops.traffic > docs/traffic.md
	@$(RUN) -m components.schema > docs/stack.schema.json
	@$(RUN) -m tests.components.machines.replacements_page

evidence: $(VENV)/.ready tools ## Write docs/evidence anew, but for the cold run
	@$(RUN) -m tests.evidence

cold: ## From an empty clone with empty caches, keep what it says: make cold (the tests), make cold what=up
	@sh tests/cold.sh $(what) 2>&1 | tee /dev/stderr | grep -v 'go is at work$$' > docs/evidence/make-$(what)-from-an-empty-clone.txt

clean: ## Remove what was made in the checkout; caches outside of it stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
