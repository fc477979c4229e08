# The two commands: `make run` and `make test`. Each does all its set-up first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test setup setup-test train lint format lock audit sbom clean

run: setup
	$(BIN)/shimin keys
	$(BIN)/shimin db upgrade
	$(BIN)/shimin train
	exec $(BIN)/honcho start

test: setup-test
	$(BIN)/python tools/check.py

setup:
	@$(PYTHON) tools/bootstrap.py run

setup-test:
	@$(PYTHON) tools/bootstrap.py test

train: setup
	$(BIN)/shimin train --force

lint: setup-test
	$(BIN)/python tools/check.py lint

format: setup-test
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock:
	$(BIN)/python tools/lock.py

audit: setup-test
	$(BIN)/python tools/audit.py

sbom: setup-test
	$(BIN)/python tools/sbom.py

clean:
	rm -rf models .rasa var/test-*
