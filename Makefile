# weir: `make help` lists the targets.

GO      ?= go
UI      := web/ui
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
BUILD   := build

.PHONY: help build install demo test test-go test-clients test-ui test-e2e crash rotate test-kafka conform test-opensearch peers lint bench fuzz ui ui-check clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## build the one binary into build/weir
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BUILD)/weir ./cmd/weir

install: ## go install ./cmd/weir
	CGO_ENABLED=0 $(GO) install -trimpath ./cmd/weir

demo: build ## run three log-writing services through everything, UI on http://127.0.0.1:5601
	$(BUILD)/weir demo --data $(BUILD)/demo

test: test-go test-clients test-ui test-e2e ## all tests: Go, official clients, UI units, browser

test-go:
	$(GO) test -timeout 10m ./...

test-clients: ## the official clients of Elasticsearch and OpenSearch, Go, JavaScript and Python, against the REST API (minutes the first time)
	GO=$(GO) scripts/clients.sh $(BUILD)/clients

test-ui: $(UI)/node_modules/.package-lock.json
	cd $(UI) && npm test

test-e2e: build $(UI)/node_modules/.package-lock.json ## browser tests against the real binary (installs Debian's chromium when there is none)
	@scripts/chromium.sh
	cd $(UI) && WEIR_BIN=$(abspath $(BUILD)/weir) npm run e2e

crash: build ## kill -9 twenty times under load, count every line (a longer run of the test in cmd/weir)
	WEIR_KILLS=$${WEIR_KILLS:-20} $(GO) test -count=1 -timeout 30m -run 'TestKill' -v ./cmd/weir

rotate: build ## WEIR_ROTATE seconds (default 60) of 20,000 lines a second, rotated in five ways, with kills; every line is counted
	WEIR_ROTATE=$${WEIR_ROTATE:-60} $(GO) test -count=1 -timeout 30m -run 'TestRotate$$' -v ./cmd/weir

test-kafka: ## queue/kafka against a real Apache Kafka: the one WEIR_KAFKA=host:port names, or one started with Java and Maven
	@if test -n "$$WEIR_KAFKA"; then set -x; $(GO) test -count=1 -v -run Cluster ./queue/kafka; \
	else $(GO) run ./queue/kafka/real -jars $(BUILD)/kafka $(GO) test -count=1 -v -run Cluster ./queue/kafka; fi

test-opensearch: ## bulk/elastic, and the store's answers, against a real OpenSearch: WEIR_ELASTICSEARCH=http://host:port, or one started with a JDK and Maven
	@if test -n "$$WEIR_ELASTICSEARCH"; then set -x; $(GO) test -count=1 -v -run Cluster ./bulk/elastic ./store/rest; \
	else $(GO) run ./bulk/elastic/real -jars $(BUILD)/opensearch $(GO) test -count=1 -v -run Cluster ./bulk/elastic ./store/rest; fi

peers: ## logger, rsyslog, OpenTelemetry's exporters and Filebeat (WEIR_FILEBEAT=path) ship to weir; what cannot be had is skipped by name
	GO=$(GO) scripts/peers.sh $(BUILD)/peers

conform: ## other projects' Kafka clients and test suites against the broker (fetched into build/conform; SUITE=java for one)
	$(GO) run ./broker/conform $(SUITE)

lint: $(UI)/node_modules/.package-lock.json ## gofmt, vet, tidy, UI linter
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "gofmt the files above"; exit 1; }
	$(GO) vet ./...
	$(GO) mod verify >/dev/null
	cd $(UI) && npm run lint

bench: build ## the end-to-end benchmark; more in bench/README.md
	$(GO) run ./bench/flow

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME each (default 30s)
	@scripts/fuzz.sh $(FUZZTIME)

ui: $(UI)/node_modules/.package-lock.json ## rebuild web/dist from web/ui
	cd $(UI) && npm run build

ui-check: ui ## rebuilding web/dist changes nothing
	git diff --exit-code --stat web/dist

$(UI)/node_modules/.package-lock.json: $(UI)/package-lock.json
	cd $(UI) && npm ci --no-audit --no-fund
	@touch $@

clean: ## remove build/
	rm -rf $(BUILD)
