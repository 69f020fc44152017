# smtplab's everyday commands. Each makes what it needs first; 'make' alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup check start grade image lesson bench hostile truth oracle fuzz chaos test test-fast lint lock wheel picture schemas clean

# One recipe at a time: set-up belongs before everything else, and a grade wants the machine for itself.
.NOTPARALLEL:

RUN := .venv/bin/smtplab
PYTHON := .venv/bin/python
LAB ?=
DIR ?=
STUDENT ?=
SUBMISSIONS ?=
OUT ?= grades
ARGS ?=
N ?= 20
SEED ?=
ENGINE ?= local
PROCESSORS := $$(getconf _NPROCESSORS_ONLN)
# Real gradings wait for the servers' clocks, too: more at a time than there are processors.
TESTERS ?= $$((2 * $(PROCESSORS) + 1))

# Where no bytecode is written, every program compiles all of itself, and every test worker all tests.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## make .venv with everything that requirements.lock names
	@fixtures/setup/setup run

check: setup ## grade your work; before you have any, a worked example (LAB=, DIR=, ARGS=)
	@$(RUN) check $(LAB) $(DIR) $(ARGS)

start: setup ## hand out a lab (LAB=open-relay, DIR=, STUDENT=)
	@$(RUN) start $(if $(STUDENT),--student $(STUDENT)) $(LAB) $(DIR) $(ARGS)

grade: setup ## grade many submissions (LAB=, SUBMISSIONS="a b c", OUT=grades)
	@[ -n "$(SUBMISSIONS)" ] || { echo 'smtplab: say what to grade, as in make grade SUBMISSIONS="hand-ins/*"' >&2; exit 2; }
	@$(RUN) grade $(LAB) $(SUBMISSIONS) --out $(OUT) $(ARGS)

image: setup ## build the image that the server runs in
	@$(RUN) image build $(ARGS)

lesson: setup ## build the lesson's pages (DIR=lesson)
	@$(RUN) lesson build $(DIR) $(ARGS)

bench: setup ## measure against a plain script that does the same job
	@$(PYTHON) -m tests.bench $(ARGS)

oracle: ## hunt for wrong grades (LAB=open-relay, dkim, spf-dmarc, authenticated-message or simulator, N=20, SEED=, ARGS='--only SEED/NUMBER')
	@fixtures/setup/setup dev
	@$(PYTHON) -m tests.oracle $(or $(LAB),open-relay) --n $(N) --seed $(or $(SEED),oracle) $(ARGS)

chaos: ## kill graders and fill disks at random, and look at what is left (N=20, ENGINE=local, SEED=, ARGS='--first 7')
	@fixtures/setup/setup dev
	@$(PYTHON) -m tests.chaos --n $(N) --engine $(ENGINE) --seed $(or $(SEED),chaos) $(ARGS)

fuzz: ## give every reader of strangers' text what nobody means to write (SECONDS=300, TARGET='SPF record', ARGS=--coverage)
	@fixtures/setup/setup dev
	@$(PYTHON) -m tests.fuzz --seconds $(or $(SECONDS),300) $(if $(TARGET),--target "$(TARGET)") $(ARGS)

hostile: ## try every hostile submission on every engine (ARGS='-k fork-bomb'); 'make test' tries a few
	@fixtures/setup/setup dev
	@SMTPLAB_HOSTILE=all $(PYTHON) -m pytest -n auto --dist worksteal tests/hostile $(ARGS)

truth: ## grade every labelled submission, and each of the labs (ARGS='-k dkim'); 'make test' grades some of those that take a server
	@fixtures/setup/setup dev
	@SMTPLAB_TRUTH=all $(PYTHON) -m pytest -n $(TESTERS) --dist worksteal tests/truth tests/pipeline/test_labs_proved.py $(ARGS)

test: ## run all tests (ARGS='-k relay')
	@fixtures/setup/setup dev
	@$(PYTHON) -m pytest -n $(TESTERS) --dist worksteal $(ARGS)

test-fast: ## what can be tested in a minute or two, without machines and browsers (ARGS='-k relay')
	@fixtures/setup/setup dev
	@SMTPLAB_EXAMPLES=few $(PYTHON) -m pytest -n $$(($(PROCESSORS) + 1)) --dist worksteal \
	  -m 'not slow and not browser and not engine' $(ARGS)

lint: ## ruff, mypy, oxlint and shellcheck
	@fixtures/setup/setup dev
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/oxlint --deny-warnings reports
	@if command -v shellcheck >/dev/null; then shellcheck fixtures/setup/setup .ci/run; fi

lock: ## take newer versions of the dependencies into the lock files (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --upgrade \
	  --custom-compile-command 'make lock' pyproject.toml --group build -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --upgrade \
	  --custom-compile-command 'make lock' pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

wheel: ## build the wheel into dist/
	@fixtures/setup/setup dev
	@$(PYTHON) -m hatchling build -t wheel -d dist

picture: ## draw docs/report.svg again
	@fixtures/setup/setup dev
	@$(PYTHON) -m docs.picture

schemas: ## write the published JSON Schemas again, from the types
	@fixtures/setup/setup dev
	@$(PYTHON) -m docs.publish_schemas

clean: ## remove .venv, caches and built files; never work/
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz
	if [ -e lesson/.smtplab-lesson.json ]; then rm -rf lesson; fi
	find grader tests -name __pycache__ -prune -exec rm -rf {} +
