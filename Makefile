# Everything from nothing: these targets need only Python 3.11 or later and make.
PYTHON ?= python3
VENV := .venv
# Three at once keep two cores busy: tests of processes wait much of their time. Each has one BLAS thread, as workers do.
# Compiled sources are kept, whatever the surroundings say: each of the many processes would compile them all again.
PYTEST = OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n 3 --dist loadfile
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all test-compose nightly soak check lint types imports schema bench bench-service bench-search clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Shibori needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY)
	$(BIN)/shibori demo

test: $(READY)
	$(PYTEST) -m 'not slow and not compose'

test-all: $(READY)
	$(PYTEST) -m 'not compose' --cov=service.domain --cov=trainer --cov-fail-under=95 --cov-report=term

test-compose: $(READY)
	$(BIN)/pytest -m compose

# What takes too long for every change: state machines by the thousand, and a soak of the length that is asked for.
MINUTES := 10
ENGINE := sqlite

nightly: $(READY)
	SHIBORI_STATE_MACHINES=2000 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 -m slow tests/integration/test_state_machine.py

soak: $(READY)
	$(BIN)/python -m tests.soak.run --minutes $(MINUTES) --engine $(ENGINE) $(if $(SEED),--seed $(SEED))

check: lint types imports schema test-all

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports

schema: $(READY)
	@folder=$$(mktemp -d) && $(BIN)/shibori db upgrade --database sqlite:///$$folder/check.db \
	  && $(BIN)/shibori db check --database sqlite:///$$folder/check.db; status=$$?; rm -rf $$folder; exit $$status

# PyTorch, scikit-learn and Optuna, to measure against: some gigabytes.
$(VENV)/.bench: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	touch $@

bench: $(VENV)/.bench
	for benchmark in trainer service; do $(BIN)/python -m benchmarks.$$benchmark || exit; done

# How much the service carries, beside Optuna's storage; half an hour, on a machine that does nothing else.
bench-service: $(VENV)/.bench
	for benchmark in load million waiting; do $(BIN)/python -m benchmarks.$$benchmark || exit; done

# How good and how quick the searches are, beside Optuna and scikit-optimize; hours, in all.
bench-search: $(VENV)/.bench
	for benchmark in search narrowing pruning story; do $(BIN)/python -m benchmarks.$$benchmark || exit; done

clean:
	rm -rf $(VENV) demo
