# Posto. `make run` to see it, `make test` to trust it; `make help` for the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build run lint test unit acceptance page-test package-test bench crash fuzz deb clean

RELEASE := .build/release/posto
PYTEST := /usr/bin/python3 -m pytest -p no:cacheprovider
# Nothing of the run-time library is left to find at the target, nothing is resolved late (lintian: bindnow, relro), and the folder of the
# build is not in the program, so that it is the same wherever it is built. The toolchain's own linker (lld) packs relocations and folds equal
# code, and only symbols that libraries ask for are exported: together a sixth of the program's size.
SWIFT_RELEASE := swift build -c release --static-swift-stdlib --product posto \
	--explicit-target-dependency-import-check error -Xlinker -z -Xlinker now -Xlinker -z -Xlinker relro \
	-Xswiftc -use-ld=lld -Xlinker --icf=all -Xlinker -z -Xlinker pack-relative-relocs -Xlinker --no-export-dynamic \
	-Xswiftc -file-prefix-map -Xswiftc $(CURDIR)=. -Xcc -ffile-prefix-map=$(CURDIR)=.
export POSTO_BINARY ?= $(CURDIR)/$(RELEASE)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

deps: ## install the Debian packages that are missing
	@Packaging/deps build run test package browser

build: ## the release binary, .build/release/posto
	@Packaging/deps build
	$(SWIFT_RELEASE)

run: build ## start the daemon with a demonstration configuration in .build/demo
	@Packaging/deps run
	@Packaging/demo/run

test: deps lint build unit acceptance page-test package-test ## every test

lint: ## style, and versions that must be equal
	swift format lint --strict --recursive --parallel Sources Tests Package.swift
	Packaging/version

unit:
	SWIFT_BACKTRACE=enable=no swift test --explicit-target-dependency-import-check error

acceptance: build
	$(PYTEST) Tests/Acceptance

page-test: build .build/browser/ready ## look at the pages in Debian's Chromium; POSTO_SCREENSHOTS=1 takes the README's pictures anew
	.build/browser/bin/python -m pytest -p no:cacheprovider Tests/Browser

# Playwright drives the browser; Debian has no package of it. Without it the pages are not tested, and that is a failure.
.build/browser/ready: Tests/Browser/requirements.txt
	@Packaging/deps browser
	python3 -m venv --system-site-packages .build/browser
	.build/browser/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Browser/requirements.txt
	touch $@

package-test: build
	Tests/Package/test_deb

bench: build ## the project's measurements, each next to its floor
	$(RELEASE) bench

crash: build ## kill the daemon 10,000 times under load and count what was promised
	POSTO_CRASHES=$${POSTO_CRASHES:-10000} $(PYTEST) Tests/Acceptance -k crash

fuzz: ## feed texts made by chance to the parsers, FUZZ_SECONDS each (60)
	Tests/Fuzz/run

deb: build ## the Debian package, dist/posto_VERSION_amd64.deb
	@Packaging/deps package
	Packaging/build-deb

clean: ## remove what was built
	rm -rf .build dist
