# The chores. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup test test-python lint deny ci count count-record bench-peers

# Where the tests find the Python that runs Flask and Django.
export LARDER_TEST_PYTHON ?= $(CURDIR)/.venv/bin/python

# Where the tools are that look at clients/python.
LINT = $(CURDIR)/.venvs/lint/bin

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | sed "s,|,\t,"

setup: ## Install what the tests need beyond Rust (see scripts/setup-tests)
	@scripts/setup-tests

# With the optional feature: what it adds does nothing until it is configured, so one build tests
# both. Doc-tests first: the output then ends with the summary of all the others.
test: setup ## Install what the tests need, then run every test
	cargo test --features otel --doc
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo cargo nextest run --features otel; cargo nextest run --features otel; \
	else \
		echo cargo test --features otel --lib --bins --tests --examples; \
		cargo test --features otel --lib --bins --tests --examples; \
	fi
	@scripts/test-python

test-python: ## The tests of clients/python alone; ONLY="py3.11 core" for some
	@scripts/setup-python
	cargo build --features otel # as the other tests, so that nothing is built twice
	@scripts/test-python $(ONLY)

lint: ## Formatting, clippy, documentation, and types of clients/python: warnings as errors
	cargo fmt --check
	cargo clippy --all-targets --features otel -- -D warnings
	cargo clippy -- -D warnings # as it is released
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --features otel
	@scripts/setup-python lint
	cd clients/python && $(LINT)/ruff format --check && $(LINT)/ruff check && $(LINT)/mypy

deny: ## What is depended on: licences, sources, bans (needs cargo-deny; not part of ci)
	cargo deny --offline check licenses bans sources

bench-peers: setup ## larder beside nginx, Varnish and HAProxy: writes docs/performance.md
	@scripts/setup-peers
	cargo build --release
	benches/peers/peers.py --write docs/performance.md

count: ## Instructions of each kind of request, by callgrind; fails where one has grown by 5 %
	@command -v valgrind >/dev/null || scripts/debian valgrind
	cargo build --release
	benches/instructions/count.py $(COUNT)

count-record: COUNT = --record
count-record: count ## The same, and writes benches/instructions.toml

ci: lint test ## Everything that has to pass before a merge
