# Every target does its own set-up, into .tools/ and target/; nothing is installed into the system but
# missing Debian packages. `make` alone lists the targets.

PYTHON ?= python3
MODEL  ?=
PORT   ?= 3000
# The questions of Banking77 with their intents, which no package carries: a CSV file with `text,category`.
BANKING77 ?=
# How many worlds `make simulate` runs, and from which seed on; SEED and REQUESTS run one of them again.
SEEDS  ?= 10000
FROM   ?= 0
# Further parameters of the stack, as NAME=VALUE.
PARAMETERS ?=
# x86_64 or arm64: what `make build` and `make deploy` build for.
ARCH   ?= x86_64

TOOLS  := $(or $(TOLLGATE_TOOLS),$(CURDIR)/.tools)
SETUP  := $(PYTHON) tests/tools/setup.py
STAGES := $(PYTHON) tests/tools/stages.py
LAMBDA := lambda-lint lambda-lint-nested lambda-template lambda-rie lambda-stream lambda-deploy
FUNCTIONS := chat usage admin cache indexer alerts

.DEFAULT_GOAL := help
.PHONY: help dev test test-full simulate test-rust test-dialects test-clients test-dashboard test-lambda race lint build deploy deploy-local bench bench-cold bench-cache bench-lookup bench-load bench-fold bench-anomaly

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: ## run the gateway on localhost:3000 (PORT=); MODEL=smollm2 puts a real small model behind it
	@$(PYTHON) tests/tools/dev.py --port $(PORT) $(if $(MODEL),--model $(MODEL))

test: ## everything that needs no AWS account, with the time of each stage
	@$(STAGES)

test-full: ## everything of `make test`, and each fuzz target for a minute
	@$(STAGES) --full

simulate: ## the money path of SEEDS=10000 simulated worlds full of faults; SEED=n replays one, step by step
	@$(SETUP) system
	cargo run --quiet --locked --profile simulate --package simulator -- \
	  $(if $(SEED),--seed $(SEED) $(if $(REQUESTS),--requests $(REQUESTS)),--seeds $(SEEDS) --from $(FROM))

test-rust: ## the Rust tests, and the store contracts on DynamoDB Local, Redis, PostgreSQL and Milvus Lite
	@$(STAGES) setup build rust contract vectors

test-dialects: ## drawn requests through every pair of dialects, held against the vendors' published schemas
	@$(STAGES) setup build round-trip

test-clients: ## the stock SDKs and frameworks through the gateway
	@$(STAGES) setup build clients

test-dashboard: ## the dashboard in headless Chromium, over 90 days of usage
	@$(STAGES) setup build dashboard

test-lambda: ## the template, the runtime emulator, streaming, and a whole deployment into an emulated account
	@$(STAGES) setup build $(LAMBDA)

race: ## 64 client processes against gateways that share a budget, with a provider that keeps its own bill
	@$(SETUP) system dynamodb microburst
	cargo build --locked --package local
	tests/tools/dynamodb_local.sh $(PYTHON) tests/race/run.py --full $(PARTS)

lint: ## formatting, clippy, the import rule, licences and banned crates
	@$(STAGES) setup format purity clippy dependencies

build: ## the Lambda functions, optimised, into target/lambda
	@$(SETUP) system lambda embedder charts
	@# chat by itself, or what the others link of HTTP/2 would be compiled into its HTTP client as well.
	PATH="$(TOOLS)/sam/bin:$$PATH" cargo lambda build --release --locked \
	  $(if $(filter arm64,$(ARCH)),--arm64) --package chat
	PATH="$(TOOLS)/sam/bin:$$PATH" cargo lambda build --release --locked \
	  $(if $(filter arm64,$(ARCH)),--arm64) $(addprefix --package ,$(filter-out chat,$(FUNCTIONS)))

deploy: build ## build, then deploy to the AWS account of your credentials (samconfig.toml)
	"$(TOOLS)/sam/bin/sam" deploy --parameter-overrides $$($(PYTHON) infra/package.py --arch $(ARCH)) $(PARAMETERS)

deploy-local: ## build, deploy into an emulated AWS account with enforced IAM, and drive it
	@$(STAGES) setup build lambda-deploy

bench: ## CPU per request and added latency, against the upstream called directly
	@$(SETUP) system
	$(PYTHON) tests/bench/run.py

bench-cold: ## size and start-up CPU of each function
	@$(SETUP) system lambda embedder
	$(PYTHON) tests/bench/cold.py

bench-cache: ## recall, traps and wrong hits of the semantic cache on labelled questions; BANKING77=FILE adds a stream of them
	@$(SETUP) system embedder labelled
	TOLLGATE_TOOLS="$(TOOLS)" BANKING77="$(BANKING77)" cargo run --locked --quiet --package quality

bench-lookup: ## CPU of a lookup among 10,000 questions beside the embedding alone, and of starting with the weights
	@$(SETUP) system embedder
	$(PYTHON) tests/bench/lookup.py

bench-fold: ## what it costs to fold the ledger's hours into rollups at 1, 10 and 100 requests a second
	cargo run --locked --quiet --profile simulate --package load --bin fold-cost

bench-load: ## a model of the store under load: refusals, retries, store time and write units by shards
	cargo run --locked --quiet --package load --bin load-model

bench-anomaly: ## 200 keys for 60 days through the anomaly throttle: false throttles, and how soon an attack is slowed
	cargo run --locked --quiet --profile simulate --package anomaly
