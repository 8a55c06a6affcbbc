# Each command is one line over `uv run`. Without a uv on the PATH, pip puts one into .tools/.
UV := $(if $(shell command -v uv),,.tools/bin/uv)

STRENGTH := 2
SHARD := 1/1

# Whatever Python >= 3.11 the machine has is used; none is fetched. Commands that run uv themselves find the same one.
export UV_PYTHON_DOWNLOADS := never
ifneq ($(UV),)
export PATH := $(CURDIR)/.tools/bin:$(PATH)
endif

.PHONY: help demo try test quick servers check space matrix program sweep mutants code-mutants proofs versions installs updates domains containers bench fleet docs site where release

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/'

demo: $(UV) ## generate the default service, start it, walk it over HTTP
	@uv run --quiet python -u -m tools.demo

try: $(UV) ## pick answers, and see the project that comes of them pass its tests
	@uv run --quiet python -m tools.attempt

test: servers check ## everything that CI runs; what passed before is remembered, unless ARGS=--forget
	@uv run --quiet python -m tools.space --compare 40
	@uv run --quiet python -m tools.matrix --strength 2 $(ARGS)
	@uv run pytest --numprocesses auto --dist worksteal $(ARGS)

quick: check ## what a contributor runs between two changes: checks, fast tests, programs that changed
	@uv run --quiet python -m tools.quick $(ARGS)

servers: $(UV) ## which of the servers that tests need are there
	@uv run --quiet python -m tools.servers

space: $(UV) ## every combination of answers: each text checked, a sample compared with Copier
	@uv run --quiet python -m tools.space $(ARGS)

matrix: $(UV) ## the tests of a covering array of programs: make matrix STRENGTH=3
	@uv run --quiet python -m tools.matrix --strength $(STRENGTH) $(ARGS)

program: $(UV) ## the tests of one program: make program ANSWERS="database=sqlite auth=none"
	@uv run --quiet python -m tools.program --answers "$(ANSWERS)" --tests "$(TESTS)" $(ARGS)

sweep: $(UV) ## the tests of every distinct program: make sweep SHARD=1/8
	@uv run --quiet python -m tools.sweep --shard $(SHARD) $(ARGS)

mutants: $(UV) ## mistakes made in the template: which of them does the harness notice?
	@uv run --quiet python -m tools.mutants $(ARGS)

code-mutants: $(UV) ## mistakes made in generated code: make code-mutants ANSWERS="preset=full"
	@uv run --quiet python -m tools.code_mutants --answers "$(ANSWERS)" $(ARGS)

proofs: $(UV) ## take away what each answer brings: the test that says so fails, the others pass
	@uv run --quiet python -m tools.proofs $(ARGS)

versions: $(UV) ## programs on real servers: the versions of compose.yaml, the oldest, the newest
	@uv run --quiet python -m tools.versions $(ARGS)

installs: $(UV) ## each pair of answers installed by uv, on every Python here, newest and oldest versions
	@uv run pytest --numprocesses auto --dist worksteal --every-pair tests/test_installs.py $(ARGS)

updates: $(UV) ## every release updated to this checkout, with every edit by itself
	@uv run pytest --numprocesses auto --dist worksteal --every-cell tests/test_updates.py tests/test_update_migrations.py tests/test_ordinary_user.py $(ARGS)

domains: $(UV) ## three domains written into services of many kinds, checked and tested: make domains ARGS="--only mysql"
	@uv run --quiet python -m tools.domains $(ARGS)

containers: $(UV) ## images built and started; needs a Docker engine
	@uv run pytest tests/containers

bench: $(UV) ## figures of generated services: make bench NAME=outage
	@uv run --quiet python -m benchmarks $(NAME) $(ARGS)

fleet: $(UV) ## an audit of 200 generated services with seeded problems
	@uv run --quiet python -m benchmarks.fleet $(ARGS)

docs: $(UV) ## write the tables of the docs: the questions, and what benchmarks found
	@uv run --quiet python -m tools.docs $(ARGS)

site: $(UV) ## build the site of the docs into build/site, strictly
	@uv run --quiet python -m tools.site $(ARGS)

where: $(UV) ## where a file of a project comes from: make where FILE=src/app/auth/router.py
	@uv run --quiet python -m tools.where $(FILE)

release: $(UV) ## release what is committed: make release VERSION=1.2.3
	@uv run --quiet python -m tools.release "$(VERSION)"

check: $(UV) ## format, lint and types of this repository
	@uv run ruff format --check .
	@uv run ruff check .
	@uv run pyright

.tools/bin/uv:
	@echo "uv is not on the PATH: installing it into .tools/"
	@python3 -m pip --version >/dev/null 2>&1 || { echo "python3 has no pip: install pip, or uv itself (https://docs.astral.sh/uv/getting-started/installation)"; exit 1; }
	@python3 -m pip install --quiet --disable-pip-version-check --target .tools uv
