# fintrans. `make` alone prints the targets. GNU make 3.81 and later.

SERVICES := generator influx-ingest laundering-detector
MODULES  := . demo test bench

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT   ?= $(shell git rev-parse --quiet --verify HEAD 2>/dev/null || echo unknown)
LDFLAGS  ?= -X fintrans/internal/service.Version=$(VERSION) -X fintrans/internal/service.Commit=$(COMMIT)
# How long to fuzz each target, in executions. A duration such as 30s does as well, but then Go before 1.27 fails
# now and then with "context deadline exceeded" although nothing was found (golang/go issue 75804).
FUZZTIME ?= 500000x

# Run by version and not from go.mod: none of its modules becomes a dependency of the services.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
CYCLONEDX     := go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

# MODULES,COMMAND[,COMMAND AS SHOWN]: runs the command in each module's folder; the first failure ends the target.
in_modules = @set -e; for module in $(1); do echo "== $$module: $(if $(3),$(3),$(2))"; (cd $$module && $(2)); done

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# What is run by version is fetched and compiled, before it is needed.
.PHONY: tools
tools:
	@$(GOLANGCI_LINT) version && $(CYCLONEDX) version

.PHONY: build $(SERVICES)
build: $(SERVICES) ## build the three services into ./build
$(SERVICES):
	@echo "== build/$@"
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/$@ ./$@

# The settings of the demo are variables: make demo FOR=60s RATE=50. build/demo --help lists them.
.PHONY: demo
demo: build ## see it at work; Ctrl-C ends it and sums up. build/demo --help lists its settings: make demo RATE=50 FOR=60s
	@echo "== build/demo (the first time this compiles an InfluxDB: a minute or two)"
	@cd demo && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o ../build/demo ./cmd/demo
	@build/demo

# Without the race detector: the window, in which nothing is concurrent, and the end-to-end tests, which build the services
# with it and only look on; the servers that they embed would take twice the time.
.PHONY: test
test: ## run the unit tests and the end-to-end tests on embedded servers, with the race detector
	$(call in_modules,.,go test -race -timeout 10m $$(go list ./... | grep -v '/internal/window$$'),go test -race -timeout 10m (all but ./internal/window))
	$(call in_modules,.,go test -timeout 10m ./internal/window)
	$(call in_modules,demo,go test -race -timeout 10m $$(go list ./... | grep -v '/e2e$$'),go test -race -timeout 10m (all but ./e2e))
	$(call in_modules,demo,go test -timeout 10m ./e2e)

.PHONY: lint lint-go lint-modules lint-shell lint-grafana
lint: lint-shell lint-modules lint-go lint-grafana ## check format, vet, golangci-lint, shellcheck, go.mod and the dashboards
lint-go:
	@echo "== gofmt"; files=$$(gofmt -l .) && { test -z "$$files" || { echo "run gofmt -w on: $$files"; exit 1; }; }
	@echo "== sleeping tests"; for file in $$(grep -rl --include='*_test.go' 'time\.Sleep' .); do \
		grep -q '"testing/synctest"' $$file || { echo "$$file sleeps: wait for a state with a deadline, or use testing/synctest"; exit 1; }; done
	$(call in_modules,$(MODULES),go vet ./...)
	$(call in_modules,$(MODULES),$(GOLANGCI_LINT) run --config '$(CURDIR)/.golangci.yml' ./...,golangci-lint)
# go mod verify misses a checksum of our own modules, which the nested ones have from their folders.
lint-modules:
	@! grep -n '^replace' go.mod || { echo "go.mod has a replace directive: 'go install fintrans/...' would refuse it"; exit 1; }
	$(call in_modules,$(MODULES),go mod tidy -diff)
	@set -e; for module in $(MODULES); do echo "== $$module: go mod verify"; \
		(cd $$module && go mod verify 2>&1 | { ! grep -v -e '^all modules verified' -e '^fintrans[ /].*: missing ziphash'; }); done
lint-shell:
	@echo "== shellcheck"; command -v shellcheck >/dev/null || { echo "shellcheck is missing (Debian and macOS package: shellcheck)"; exit 1; }
	@shellcheck .ci/run test/dcos/cli/dcos $$(find . -name '*.sh' -not -path '*/build/*' -not -path './marathon/installer/*' -not -name install-fintrans.sh)
	@shellcheck -x -a install-fintrans.sh

lint-grafana:
	@echo "== dashboards"; go run ./grafana/generate -check

# Targets are found by the go command itself, folder by folder, whatever module a folder belongs to.
.PHONY: fuzz
fuzz: ## run each fuzz target FUZZTIME times (500000x)
	@set -e; folders=$$(find . -name '*_test.go' -exec grep -l '^func Fuzz' {} + | xargs -n 1 dirname | sort -u); \
	for folder in $$folders; do \
		listed=$$(cd $$folder && go test -list '^Fuzz' .); \
		for target in $$(echo "$$listed" | grep '^Fuzz'); do \
			echo "== $$folder: $$target, $(FUZZTIME)"; \
			(cd $$folder && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) .); \
		done; \
	done

.PHONY: test-real
test-real: build ## run the cases on Apache Kafka 4, 3.9 and 2.4, and InfluxDB 1.8 and influxd (needs Java 17, Maven, influxd, npm, Chromium); REAL=core: not all on 4
	cd test && REAL='$(REAL)' FINTRANS_BINARIES='$(CURDIR)/build' go test -count=1 -timeout 45m -p 1 -parallel 3 -v $$(go list ./... | grep -v /dcos/)

# Its settings are variables: make chaos FOR=5m SEED=7 KAFKA=2.4. build/chaos --help lists them.
.PHONY: chaos
chaos: build ## run everything on real servers through random faults and judge: make chaos FOR=30m (needs Java 17, Maven); build/chaos --help
	@echo "== build/chaos"
	@cd test && go build -trimpath -ldflags '$(LDFLAGS)' -o ../build/chaos ./chaos/cmd/chaos
	@build/chaos

# Only what looks for races is built with the race detector: it would multiply the memory that is looked at.
.PHONY: proof
proof: build ## run the long proofs: a million transactions, KILLS=2m of random kills, a SOAK=20m
	cd demo && FINTRANS_BINARIES='$(CURDIR)/build' SOAK='$(SOAK)' KILLS='$(KILLS)' \
		go test -tags proof -count=1 -timeout 5h -v $(if $(PROOF),-run '$(PROOF)') ./proof

# Settings of the bench are variables: make bench ONLY=detector,generator ROUNDS=1. build/bench --help lists them.
.PHONY: bench
bench: ## measure the services beside their peers on real servers (Linux, Java 17, JDK, Maven; the first time some minutes more); ONLY=CASES ROUNDS=3
	@echo "== build/bench"
	@cd bench && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o ../build/bench ./cmd/bench
	@build/bench

# What install-fintrans.sh fetches, all in one folder, as the files of a release are. Nothing in the binaries depends on
# where, when and by whom they are built: two builds of the same sources are the same bits.
DIST          ?= dist
RELEASE_ARCHS ?= amd64 arm64
SHA256        := $(shell command -v sha256sum >/dev/null && echo sha256sum || echo shasum -a 256)
# Nobody's files: GNU tar and that of macOS say it in other words.
TAR_OWNER      = $(shell tar --version | grep -q GNU && echo --format=ustar --owner=0 --group=0 --numeric-owner || echo --format=ustar --uid 0 --gid 0)
.PHONY: release
release: ## build what the installer fetches into ./dist: static Linux binaries, SHA256SUMS, an SBOM
	@rm -rf '$(DIST)' && mkdir -p '$(DIST)'
	@set -e; for arch in $(RELEASE_ARCHS); do for service in $(SERVICES); do \
		echo "== $(DIST)/$$service-linux-$$arch"; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch GOAMD64=v1 GOARM64=v8.0 GOFLAGS= go build -trimpath -buildvcs=false \
			-ldflags '-s -w -buildid= $(LDFLAGS)' -o "$(DIST)/$$service-linux-$$arch" ./$$service; \
	done; done
	@echo '== $(DIST)/fintrans.cdx.json' && $(CYCLONEDX) mod -json -licenses -noserial -type application -output '$(DIST)/fintrans.cdx.json'
	@echo '== $(DIST)/grafana.tar.gz' && mkdir -p '$(DIST)/archive/grafana' && \
		cp -R grafana/provision.sh grafana/dashboards '$(DIST)/archive/grafana' && \
		chmod -R u=rwX,go=rX '$(DIST)/archive' && find '$(DIST)/archive' -exec env TZ=UTC0 touch -t 200001010000 {} + && \
		(cd '$(DIST)/archive' && find grafana -type f | LC_ALL=C sort | tar -c $(TAR_OWNER) -T - -f -) | gzip -n >'$(DIST)/grafana.tar.gz' && \
		rm -rf '$(DIST)/archive'
	@echo "== $(DIST)/SHA256SUMS" && cd '$(DIST)' && $(SHA256) * >SHA256SUMS && cat SHA256SUMS

# The real dcos command, in a virtual environment in an ignored folder.
DCOS_CLI := $(CURDIR)/test/build/dcos-cli
.PHONY: test-dcos
test-dcos: ## run the installer through the real dcos command on a stand-in cluster (needs Python 3.10 to 3.12)
	test/dcos/cli/make.sh '$(DCOS_CLI)'
	cd test && FINTRANS_DCOS_CLI='$(DCOS_CLI)' go test -count=1 -timeout 20m ./dcos/...

.PHONY: clean
clean: ## remove what building and testing leave behind
	rm -rf build dist test/build bench/build
