# Each command is one line over `uv run`. Without a uv on the PATH, pip puts one into .tools/.
TOOLS := $(CURDIR)/.tools
UV := $(shell command -v uv || echo $(TOOLS)/bin/uv)

STRENGTH := 2
SHARD := 1/1

# Whatever Python >= 3.11 the machine has is used; none is fetched. Commands that run uv themselves find the same one.
export UV_PYTHON_DOWNLOADS := never
export PATH := $(dir $(UV)):$(PATH)

.PHONY: help demo test check space matrix sweep installs updates containers release

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/'

demo: $(UV) ## generate the default service, start it, walk it over HTTP
	@uv run --quiet python -u -m tools.demo

test: check ## everything that CI runs
	@uv run --quiet python -m tools.space --compare 100
	@uv run --quiet python -m tools.matrix --strength 2
	@uv run pytest --numprocesses auto --dist worksteal

check: $(UV) ## format, lint and types of this repository
	@uv run ruff format --check .
	@uv run ruff check .
	@uv run pyright

$(TOOLS)/bin/uv:
	@echo "uv is not on the PATH: installing it into .tools/"
	@python3 -m pip install --quiet --disable-pip-version-check --target $(TOOLS) uv
