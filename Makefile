# The usual ways in. Each target installs what it needs (Debian 12) and builds what it uses.
.DEFAULT_GOAL := help
.PHONY: help deps demo test e2e availability images bench conformance dashboards fuzz format lint clean

JOBS ?= $(shell nproc)
PYTHON := /usr/bin/python3
SOURCES = $(shell git ls-files '*.cc' '*.h')

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## Install the Debian packages that building and testing need, and build a test cluster once (10 min)
	@.ci/deps build test

demo: ## A page at http://localhost:8080 and https://localhost:8443 through the tunnel
	@.ci/deps build demo
	@cmake --preset dev
	@cmake --build --preset dev -j $(JOBS) --target adit-gateway adit-connector
	@examples/demo/demo.sh build/dev/bin

test: deps ## Build the dev preset and run every test
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS)
	ctest --preset dev -j 3 --no-tests=error

e2e: ## Images, charts and the nine cases of docs/end-to-end.md on a real cluster on this machine (needs root; E2E_FLAGS: see there)
	@.ci/deps images e2e
	e2e/run $(E2E_FLAGS)

availability: ## Let parts come, go, die and storm under load, ROUNDS (10) times with requests of 20 s; no request may fail
	@.ci/deps build test
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target adit-gateway adit-connector reconnect_storm delay_link
	$(PYTHON) tests/availability/run.py --bin build/release/bin --rounds $(or $(ROUNDS),10)
	ADIT_BIN=build/release/bin ADIT_STORM=2000 PYTHONPATH=tests/component:tests/network \
	  $(PYTHON) -m pytest -q -s -p no:cacheprovider tests/availability/test_reconnect_storm.py

images: ## Build the three images with buildah; prints archives for `docker load` and the like
	@.ci/deps images
	@e2e/images/build

bench: ## Measure beside nginx and haproxy, and with thousands of Tunnels; writes bench/*.md (BENCH_FLAGS: see bench/run.py --help)
	@.ci/deps build bench test
	cmake --preset release
	cmake --build --preset release -j $(JOBS) --target adit-gateway adit-connector adit-operator bench_handshakes bench_service bench_table delay_link
	$(PYTHON) bench/run.py --bin build/release/bin $(BENCH_FLAGS)
	$(PYTHON) bench/control_plane.py --bin build/release/bin

conformance: ## Run the tables of unusual requests and answers through Adit, nginx and haproxy; writes docs/conformance.md
	@.ci/deps build bench
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS) --target adit-gateway adit-connector
	$(PYTHON) tests/conformance/compare.py --bin build/dev/bin

dashboards: ## Draw the dashboards from real programs under traffic; writes docs/dashboards/*.png
	@.ci/deps build test pictures
	cmake --preset dev
	cmake --build --preset dev -j $(JOBS) --target adit-gateway adit-connector adit-operator
	$(PYTHON) tests/monitoring/pictures.py

fuzz: ## Run each fuzz target for FUZZ_SECONDS (60); FUZZ_TARGETS="response manifest" for some of them
	@.ci/deps build fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz -j $(JOBS)
	tests/fuzz/run build/fuzz/bin $(or $(FUZZ_SECONDS),60) $(FUZZ_TARGETS)

format: ## Format the C++ sources in place
	@.ci/deps lint
	clang-format -i $(SOURCES)

lint: ## Check arrows between folders, format, and clang-tidy
	@.ci/deps build lint
	$(PYTHON) cmake/check-arrows.py
	clang-format --dry-run --Werror $(SOURCES)
	cmake --preset dev
	.ci/tidy build/dev

clean: ## Remove everything that was built
	rm -rf build
