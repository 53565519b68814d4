# SPDX-License-Identifier: Apache-2.0
# The front door. Each target works from a fresh clone; `make help` lists them.

# Appended, so that a go the user chose comes first.
export PATH := $(PATH):/usr/local/go/bin

BUILD  := build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
ZIG    ?= 0.17.1
CTEST  := ctest --no-tests=error --output-on-failure -j3  # on two cores: many tests wait more than they work

# The targets call one another through $(MAKE) where order matters; ninja does the work in parallel.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: all deps demo test rest test-all differential confinement races lib fuzz sanitize clang single amalgamate meson package elsewhere lib-all archives arm64 bench lint format bindings install clean help

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

test:  ## install what is missing, build, run all tests (some twelve minutes from nothing, on two cores)
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS)
	@$(CTEST) --test-dir $(BUILD) -LE rest

rest:  ## what `make test` leaves out: more compilers, and more roads to the headers
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS)
	@$(CTEST) --test-dir $(BUILD) -L rest

test-all: test rest races sanitize clang single meson package elsewhere archives lint  ## test, and all that takes longer: races, sanitizers, clang, the single header, Meson, the package, other systems, the bundled archives, lint

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

lib:  ## the C interface as build/libnono_ffi.a, which needs no C++ library; its header is include/nono/c/nono.h
	@scripts/install-deps test
	@mkdir -p $(BUILD)
	@bindings/c/archive $(BUILD)/libnono_ffi.a $(CXX)

# Zig's compiler, a Python package of 400 MB. What it makes for itself (C++ libraries, two minutes a target) stays beside it.
ZIG_COMMAND := $(abspath $(BUILD))/zig/bin/python-zig
export ZIG_GLOBAL_CACHE_DIR := $(abspath $(BUILD))/zig/cache
$(ZIG_COMMAND):
	@scripts/install-deps test
	@/usr/bin/python3 -m venv $(BUILD)/zig && $(BUILD)/zig/bin/pip -q install ziglang==$(ZIG)

lib-all: $(ZIG_COMMAND)  ## the archives that the Go package bundles, Linux and macOS, amd64 and arm64, and their manifest, with Zig's compiler
	@scripts/install-deps test
	@bindings/c/archives --zig $(ZIG_COMMAND)

archives: $(ZIG_COMMAND)  ## make those again: the same bytes? link them with glibc, musl and for macOS, run what can be run, arm64 emulated
	@scripts/install-deps test
	@scripts/install-deps arm64
	@bindings/c/archives --zig $(ZIG_COMMAND) --check
	@for what in symbols glibc musl macos; do \
	  tests/archives/run.py $$what --build $(abspath $(BUILD)) --zig $(ZIG_COMMAND) || exit; done
	@tests/archives/arm64 build-arm64/machine $(ZIG_COMMAND)

fuzz:  ## let libFuzzer look for faults in what reads texts, SECONDS=600 for each target, and keep what it found new
	@scripts/install-deps test
	@tests/fuzz/run $(or $(SECONDS),600)

sanitize:  ## unit, live and differential tests under AddressSanitizer and UBSan, threads under TSan
	@scripts/install-deps test
	@cmake --preset sanitize
	@cmake --build build-sanitize -j $(JOBS)
	@ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-19/bin/llvm-symbolizer UBSAN_OPTIONS=print_stacktrace=1 \
	  $(CTEST) --test-dir build-sanitize -R '^(unit|live|differential)'
	@cmake --preset tsan
	@cmake --build build-tsan -j $(JOBS) --target nono_live
	@# Without what counts threads (it has one of its own), races for processors, or looks at descriptors as they come and go.
	@for as in as_root as_user; do \
	  tests/$$as $(abspath build-tsan)/tests/nono_live -tc='threads:*' \
	    -tce='*64 of them*,*none can be listed*,*blocks every signal*,*waits in vfork*,*several apply*' || exit; done

clang:  ## build everything with clang, each header alone too; run the unit tests
	@scripts/install-deps test
	@cmake --preset clang
	@cmake --build build-clang -j $(JOBS)
	@cmake --build build-clang -j $(JOBS) --target all_verify_interface_header_sets
	@$(CTEST) --test-dir build-clang -R '^unit'

single:  ## build the unit and live tests against single_include and run them, as root and as an ordinary user
	@scripts/install-deps test
	@single_include/amalgamate.py --check
	@cmake --preset single
	@cmake --build --preset single -j $(JOBS)
	@! ninja -C build-single -t deps | grep -F $(CURDIR)/include/ || { echo "built with headers of include/" >&2; exit 1; }
	@$(CTEST) --test-dir build-single -R '^(unit|live)(\.|$$)'

amalgamate:  ## write single_include/nono/*.hpp anew from include/
	@single_include/amalgamate.py

meson:  ## build everything with Meson and run its tests, which are those of `make test`
	@scripts/install-deps test
	@test -f build-meson/build.ninja || meson setup build-meson --werror
	@meson compile -C build-meson -j $(JOBS)
	@meson test -C build-meson --no-rebuild --print-errorlogs

package:  ## make the Debian package build/nono_*.deb; install it into an empty root and use it from there
	@scripts/install-deps test
	@cmake --preset dev
	@cmake --build $(BUILD) -j $(JOBS) --target nono_command nono_proxy_program nono_keyring_program
	@/usr/bin/python3 tests/consumer/run.py package --source $(CURDIR) --build $(abspath $(BUILD)) --cmake $$(command -v cmake) \
	  --compiler $(CXX)
	@cd $(BUILD) && cpack

elsewhere: $(ZIG_COMMAND)  ## compile the headers for macOS and Windows, and the command for macOS, with Zig's compiler (a Python package, into build/zig, 400 MB)
	@scripts/install-deps test
	@/usr/bin/python3 tests/consumer/run.py elsewhere --source $(CURDIR) --compiler $(CXX) --zig "$(ZIG_COMMAND) c++"

arm64:  ## unit and live tests on an emulated arm64 machine with Debian's 6.12 kernel (a quarter of an hour)
	@scripts/install-deps test
	@scripts/install-deps arm64
	@cmake --preset arm64
	@cmake --build build-arm64 -j $(JOBS) --target nono_unit nono_live
	@tests/arm64/run build-arm64

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

bindings:  ## write nono.h, the Go constants and the reference page anew from bindings/c/table.hpp
	@bindings/c/bindings --write $(CXX)

install: all  ## install headers, CMake package and command below PREFIX (/usr/local)
	@cmake --install $(BUILD) --prefix $(abspath $(PREFIX))

clean:  ## remove all build directories
	@rm -rf build build-bench build-clang build-sanitize build-tsan build-single build-meson build-fuzz build-arm64

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
