# VCBench. `make help` lists what can be done; each target does its own set-up.

BIN := .venv/bin
PY := $(BIN)/python
SHELL := /bin/sh
JOBS ?= 2
ENGINE := $(shell find benchmarks/haplotypes -name '*.py' 2>/dev/null)

.DEFAULT_GOAL := help

.PHONY: help
help: ## what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
	    awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

# --- use ---------------------------------------------------------------------

.PHONY: demo
demo: set-up ## the whole product on synthetic data (DEMO_EXIT=1: end after the run)
	@$(PY) -m demo

.PHONY: run
run: set-up ## a portal for real work on this machine
	@$(PY) -m vcbench_site.embedded

# --- set-up ------------------------------------------------------------------

.PHONY: set-up
set-up: ## .venv with all that demo and run need
	@requirements/install base demo
	@$(MAKE) -s -j2 truvari .venv/.warm

.PHONY: set-up-dev
set-up-dev: ## the same, and what test and lint need
	@requirements/install base demo dev
	@$(MAKE) -s -j2 truvari .venv/.warm

.PHONY: truvari
truvari:
	@requirements/install truvari

# The engine's compiled parts are made now, not in somebody's first run.
.venv/.warm: $(ENGINE) requirements/constraints.txt
	@if [ -f benchmarks/haplotypes/warm.py ]; then \
	    echo "Compiling the engine ..." && $(PY) -m benchmarks.haplotypes.warm; fi
	@touch $@

# --- checks ------------------------------------------------------------------

.PHONY: test
test: set-up-dev ## the whole suite (VCBENCH_DATABASE_URL: on PostgreSQL)
	@$(PY) -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

.PHONY: lint
lint: set-up-dev ## style, types, migrations, Django's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files '*.py' | xargs $(BIN)/django-upgrade --check --target-version 5.2
	git ls-files 'templates/*.html' | xargs -r $(BIN)/djade --check --target-version 5.2
	VCBENCH_DATA_DIR=.venv/lint $(PY) manage.py makemigrations --check --dry-run
	VCBENCH_DATA_DIR=.venv/lint VCBENCH_MODE=server VCBENCH_HTTPS=1 \
	    VCBENCH_SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(60))') \
	    VCBENCH_DATABASE_URL=postgres:///unused \
	    $(PY) manage.py check --deploy --fail-level WARNING

.PHONY: format
format: set-up-dev ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: constraints
constraints: set-up-dev ## pin anew what the requirements bring
	$(PY) requirements/pin.py

BENCHES := engine gvcf strata fuzz hard kill log idle transfer pages variants restart freeze stop load
.PHONY: $(addprefix bench-,$(BENCHES))
$(addprefix bench-,$(BENCHES)): bench-%: set-up-dev
	@$(PY) benches/$*.py $(ARGS)
# For `make help`:
bench-engine: ## speed and memory against bcftools isec
bench-gvcf: ## a gVCF of mostly reference blocks
bench-strata: ## 50 strata at once
bench-fuzz: ## hostile call files
bench-hard: ## regions with more haplotypes than can be compared
bench-kill: ## workers killed at random moments
bench-restart: ## Redis or PostgreSQL restarted (ARGS="--what redis")
bench-freeze: ## a worker frozen past its claim; one job carried many times
bench-stop: ## seconds until a cancelled run has stopped
bench-load: ## 1,000 runs queued at once
bench-log: ## live log under load
bench-idle: ## sockets on which nothing happens for ten minutes
bench-transfer: ## downloads against s5cmd and aws
bench-pages: ## pages and lists over 100,000 runs and 10,000,000 metrics (PostgreSQL)
bench-variants: ## a table of a million false variants

.PHONY: clean
clean: ## remove .venv, caches and the demo's data; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov .coverage
	rm -rf var/demo
	find . -name __pycache__ -prune -exec rm -rf {} +
