# What developers and CI run; `make help` lists it.

GO        ?= go
PKG       ?= ./...
FLAGS     ?=
ARGS      ?=
SEEDS     ?= 20
OPS       ?= 5000
BENCH     ?= .
BENCHTIME ?= 1s
ROWS      ?= 100000
FUZZ      ?= .
FUZZTIME  ?= 1m
lint_tool  = $(GO) tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help
.PHONY: help generate test race bench bench-ratio bench-peers bench-wire bench-large soak fuzz lint fmt vet cover tidy modules ent146 compat fault red ci

help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

generate: ## write all generated code anew
	$(GO) generate ./...

test: ## run all tests; databases by the variables in CONTRIBUTING.md
	$(GO) test -timeout 25m $(FLAGS) $(PKG)

race: ## run all tests under the race detector (slow)
	$(GO) test -race -timeout 25m $(FLAGS) $(PKG)

bench: ## run the benchmarks (BENCH=regexp BENCHTIME=1s PKG=./...)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem $(FLAGS) $(PKG)

bench-ratio: ## compare audited with unaudited ent, requests, and delivery with raw COPY (ARGS=-help)
	$(GO) run ./internal/bench ratio $(ARGS)
	$(GO) run ./internal/bench delivery

bench-peers: ## compare requests with httplog's and otelhttp's, side by side (ARGS='-n 1000')
	cd internal/bench/peers && GOWORK=off $(GO) run . $(ARGS)

bench-wire: ## count round trips, and compare with 1 ms of network in between
	$(GO) run ./internal/bench wire $(ARGS)

bench-large: ## time and peak heap of mutations of very many rows (ROWS=100000), on each database
	ENTAUDIT_BENCH_ROWS=$(ROWS) $(GO) test -v -count=1 -timeout 30m -run LargeHeap -bench Large -benchtime 1x $(FLAGS) ./internal/bench

torture: ## run many random operations against the triggers of the databases (SEEDS=20 OPS=5000)
	ENTAUDIT_TORTURE_SEEDS=$(SEEDS) ENTAUDIT_TORTURE_OPS=$(OPS) $(GO) test -v -timeout 12h -run TestCase67RandomRun $(FLAGS) ./internal/torture

soak: ## run under load for long and look for leaks (ARGS=-help)
	$(GO) run ./internal/bench soak $(ARGS)

fuzz: ## run each fuzz target for FUZZTIME=1m, one after the other (FUZZ=regexp PKG=./...)
	GO=$(GO) FUZZ='$(FUZZ)' FUZZTIME=$(FUZZTIME) ./.ci/fuzz $(PKG)

lint: ## run the linters of .golangci.yml, built through the Go module proxy
	$(lint_tool) run $(PKG)

fmt: ## format all code
	$(lint_tool) fmt

vet: ## run go vet
	$(GO) vet $(PKG)

cover: ## write cover.out and cover.html and print the total
	$(GO) test -coverpkg=./... -coverprofile=cover.out $(FLAGS) $(PKG)
	$(GO) tool cover -html=cover.out -o cover.html && $(GO) tool cover -func=cover.out | tail -n 1

tidy: ## tidy every module
	find . -name go.mod -not -path '*/testdata/*' -execdir $(GO) mod tidy \;

modules: ## build and vet every module by itself, and test those that ./... leaves out
	find . -name go.mod -not -path '*/testdata/*' -exec dirname {} \; | GO=$(GO) GOWORK=off xargs -n 1 ./.ci/module

ent146: ## run all tests with ent v0.14.6, through a mod file derived from go.mod
	./.ci/with-ent v0.14.6 $(GO) test -mod=mod -timeout 25m $(FLAGS) $(PKG)

fault: ## break what an audited program stands on, and compare (FLAGS=-short, ARGS='F03 F08')
	nice $(GO) run ./internal/fault/rig $(FLAGS) $(ARGS)

red: ## take one protection away at a time, and see its test fail (ARGS='-run jwt')
	nice $(GO) run ./internal/fault/red $(ARGS)

compat: ## generate, vet and run graphs with ent's features in pairs, on each ent release (5 min)
	ENTAUDIT_COMPAT=all $(GO) test -timeout 30m -count=1 $(FLAGS) ./internal/compat

ci: ## run everything that CI runs
	./.ci/run
