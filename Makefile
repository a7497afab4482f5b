# Two commands: `make run` starts Vigie (on the bundled drill when no credentials are given), `make test` proves it.
PYTHON ?= python3.11
BIN := .venv/bin

# What Python compiled is kept, wherever the shell says otherwise: it is half of every start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint pytest lock clean

run: .venv/.ready
	@$(BIN)/vigie run

# mypy keeps one core busy for a minute: the tests run meanwhile.
test: .venv/.ready
	@$(MAKE) --no-print-directory -j2 lint pytest

lint: .venv/.ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

pytest: .venv/.ready
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.venv/.ready: requirements.lock requirements-boot.lock pyproject.toml
	@echo "Setting up .venv (about a minute the first time)…"
	@command -v $(PYTHON) >/dev/null || { echo "Vigie needs Python 3.11: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-boot.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

lock: .venv/.ready
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements-dev.in -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header docker/requirements.in -o docker/requirements.lock

clean:
	rm -rf .venv var
