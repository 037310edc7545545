# `make run` needs Python 3.11 or newer, make and git, nothing else. `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# One after the other, also with -j: all of them use the same environment and the same two cores.
.NOTPARALLEL:
.PHONY: help run test check bench format lock pictures shell clean environment environment-dev test-sqlite test-postgresql

PYTHON := .venv/bin/python
# Processes of one test run; the slow tests start whole consoles, more of them at a time only wait for each other.
JOBS ?= 2
# The database of `make test`'s second round: DATABASE_URL where it is given, else a local server.
export TEST_DATABASE_URL ?= $(or $(DATABASE_URL),postgres://oc:oc@127.0.0.1:5432/oc)
# The tests bring their own settings.
CLEAN_ENV = env -u DATABASE_URL -u CELERY_BROKER_URL -u HOST -u PORT
LOCK = --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url

help:  ## This list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: environment  ## Start the whole console on http://127.0.0.1:8000/ (HOST, PORT, DATABASE_URL, CELERY_BROKER_URL: README).
	@exec $(PYTHON) manage.py run --end-with-parent

test: check test-sqlite test-postgresql  ## Everything: style, types, migrations, tests on SQLite, then on PostgreSQL.

check: environment-dev  ## Style, types and migrations only.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(CLEAN_ENV) .ci/types
	$(CLEAN_ENV) OCADMIN_DATA_DIR=build/check $(PYTHON) manage.py makemigrations --check --dry-run

test-sqlite: environment-dev
	$(CLEAN_ENV) $(PYTHON) -m pytest -n $(JOBS)

# Browser and process tests do not ask the database anything new, so they ran once.
test-postgresql: environment-dev
	@if $(PYTHON) .ci/postgresql_answers.py; then \
		echo "once more on PostgreSQL"; \
		$(CLEAN_ENV) DATABASE_URL="$$TEST_DATABASE_URL" $(PYTHON) -m pytest -n $(JOBS) \
			-m "database and not browser and not slow"; \
	elif [ "$${OCADMIN_REQUIRE_SERVICES:-}" = 1 ]; then \
		echo "no PostgreSQL answers, and OCADMIN_REQUIRE_SERVICES=1 does not allow to skip it" >&2; exit 1; \
	else \
		echo "skipped: no PostgreSQL (set DATABASE_URL to a server whose role may create databases)"; \
	fi

bench: environment-dev  ## What our own work costs beside a floor measured in the same run; needs PostgreSQL.
	$(CLEAN_ENV) DATABASE_URL="$$TEST_DATABASE_URL" $(PYTHON) -m tests.bench $(ONLY)

format: environment-dev  ## Format the Python code.
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

lock: environment-dev  ## Write requirements*.txt anew from pyproject.toml, with hashes.
	$(PYTHON) -m uv pip compile $(LOCK) pyproject.toml --output-file requirements.txt
	$(PYTHON) -m uv pip compile $(LOCK) pyproject.toml --extra dev -c requirements.txt --output-file requirements-dev.txt

pictures: environment-dev  ## Pictures of every screen of a running demonstration, in build/pictures.
	@$(PYTHON) .ci/pictures.py

shell: environment  ## Django's Python shell on the data of `make run`.
	@exec $(PYTHON) manage.py shell

clean:  ## Remove the virtual environment and everything that tools left behind. Keeps the data in var/.
	rm -rf .venv build .pytest_cache .ruff_cache .mypy_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	@.ci/environment requirements.txt

environment-dev:
	@.ci/environment requirements-dev.txt requirements.txt
