# make run    start everything, with demo users, from a bare checkout
# make test   what CI runs; make check: the part without tests
# Wants Python 3.11 or later and nothing else.

PYTHON := $(shell for p in "$(PYTHON)" python3 python3.14 python3.13 python3.12 \
	python3.11; do [ -n "$$p" ] && command -v "$$p" >/dev/null && "$$p" -c \
	'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
BIN := .venv/bin
VAR := $(or $(MAILHOST_DATA_DIR),var)
MIGRATIONS := $(wildcard */migrations/0*.py */*/migrations/0*.py)
PYTEST := $(BIN)/python -m pytest -q
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check lint types layers migrations messages pytest engines fuzz soak
.PHONY: clean

run: $(VAR)/.demo
	@exec $(BIN)/python manage.py runmailservers

$(VAR)/.demo: .venv/.run $(MIGRATIONS)
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py demo --quiet
	@touch $@

.venv/.run: requirements.txt
	@[ -n "$(PYTHON)" ] || { echo "mailhost wants Python 3.11 or later" >&2; exit 1; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt
	@touch $@

.venv/.test: .venv/.run tests/requirements.txt tests/requirements-ldap.txt
	$(BIN)/python -m pip install -q -r tests/requirements.txt
	@$(BIN)/python -m pip install -q -r tests/requirements-ldap.txt 2>/dev/null || \
		echo "python-ldap does not build here: its tests are skipped"
	@touch $@

test: .venv/.test
	$(MAKE) check
	$(MAKE) pytest
	$(MAKE) engines

check: lint types layers migrations

lint: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/.test
	$(BIN)/mypy .

layers: .venv/.test
	$(BIN)/lint-imports

migrations: .venv/.test
	$(BIN)/python manage.py makemigrations --check --dry-run

# Brings the catalogs of translations up to date and tells what is to be translated.
messages: .venv/.test
	@$(BIN)/python -m tests.messages

pytest: .venv/.test
	$(PYTEST) -n auto

# What depends on the database engine, once more on a private PostgreSQL.
engines: .venv/.test
	MAILHOST_TEST_DATABASE=postgres $(PYTEST) -n auto -m "engines and not soak"

# The fuzz tests over and over, other examples each time; make fuzz MINUTES=60
MINUTES := 60
fuzz: .venv/.test
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); rounds=0; \
	while [ $$(date +%s) -lt $$end ]; do \
		$(PYTEST) tests/fuzz || exit 1; rounds=$$((rounds + 1)); \
	done; echo "$$rounds rounds"

soak: .venv/.test
	$(PYTEST) -m soak -o faulthandler_timeout=7200 \
		-o log_cli=true -o log_cli_level=WARNING

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
