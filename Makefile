# SPDX-License-Identifier: Apache-2.0
# The front door. Each target works from a fresh clone; `make help` lists them.

# Appended, so that a go the user chose comes first.
export PATH := $(PATH):/usr/local/go/bin

BUILD  := build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
CTEST  := ctest --no-tests=error --output-on-failure -j2

# The targets call one another through $(MAKE) where order matters; ninja does the work in parallel.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: all deps demo test test-all differential confinement races fuzz sanitize clang bench lint format install clean help

all:  ## build the command and the examples into build/ (installs nothing)
	@test -f $(BUILD)/build.ninja || cmake --preset default || \
	  { scripts/install-deps --check build; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS)

deps:  ## install the packages that building and testing need (apt-get, as root or by sudo)
	@scripts/install-deps test

demo:  ## show the command at work
	@scripts/install-deps build
	@$(MAKE) --no-print-directory all
	@scripts/demo

test:  ## install what is missing, build, run all tests (under 10 minutes)
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS)
	@$(CTEST) --test-dir $(BUILD)

test-all: test races sanitize clang lint  ## test, then long races, sanitizers, a full build by clang, and clang-tidy

differential:  ## ask the model and the kernel N random questions, as root and as an ordinary user (N=1000000 SEED=1)
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS) --target nono_differential
	@for as in as_root as_user; do \
	  tests/$$as $(abspath $(BUILD))/tests/nono_differential --pairs $(or $(N),1000000) --seed $(or $(SEED),1) || exit; done

confinement:  ## try every known way out, as root and as an ordinary user, and write the README's table of them anew
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS) --target nono_command nono_attempts
	@for as in user root; do \
	  NONO_BIN=$(abspath $(BUILD))/nono NONO_ATTEMPTS=$(abspath $(BUILD))/tests/nono_attempts \
	  tests/as_$$as $(CURDIR)/tests/live/confinement/run.py --json - > $(BUILD)/confinement.$$as.json || exit; done
	@tests/live/confinement/run.py --markdown $(BUILD)/confinement.user.json $(BUILD)/confinement.root.json \
	  --readme README.md

races:  ## threads that race against the supervisor, a million rounds each, as root and as an ordinary user (N=1000000)
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS) --target nono_live
	@for as in as_root as_user; do \
	  NONO_RACES=$(or $(N),1000000) tests/$$as $(abspath $(BUILD))/tests/nono_live -tc='supervised: racing*' || exit; done

fuzz:  ## let libFuzzer look for faults in what reads texts, SECONDS=600 for each target, and keep what it found new
	@scripts/install-deps test
	@tests/fuzz/run $(or $(SECONDS),600)

sanitize:  ## unit, live and differential tests under AddressSanitizer and UBSan
	@scripts/install-deps test
	@cmake --preset sanitize
	@cmake --build build-sanitize -j $(JOBS)
	@ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-19/bin/llvm-symbolizer UBSAN_OPTIONS=print_stacktrace=1 \
	  $(CTEST) --test-dir build-sanitize -R '^(unit|live|differential)'

clang:  ## build everything with clang, each header alone too; run the unit tests
	@scripts/install-deps test
	@cmake --preset clang
	@cmake --build build-clang -j $(JOBS)
	@cmake --build build-clang -j $(JOBS) --target all_verify_interface_header_sets
	@$(CTEST) --test-dir build-clang -R '^unit'

bench:  ## build and run the benchmarks
	@scripts/install-deps test
	@cmake --preset bench
	@cmake --build build-bench -j $(JOBS)
	@NONO_BIN=$(CURDIR)/build-bench/nono NONO_BENCH_DIR=$(CURDIR)/build-bench/bench tests/bench/run

lint:  ## clang-tidy over the headers and the command
	@scripts/install-deps test
	@scripts/lint

format:  ## clang-format every C++ file in place
	@scripts/install-deps test
	@scripts/check-format --fix

install: all  ## install headers, CMake package and command below PREFIX (/usr/local)
	@cmake --install $(BUILD) --prefix $(abspath $(PREFIX))

clean:  ## remove all build directories
	@rm -rf build build-bench build-clang build-fuzz build-sanitize

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
