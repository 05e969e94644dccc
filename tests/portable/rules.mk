# Other machines than the one at hand.
#   make arm64      the lowest layers' tests and a short run for 64-bit ARM, under emulation
#   make portable   without anything that only Linux has: the tests of files, processes and stops
EMULATED_LAYERS := base kernel model train
ARM64           := $(abspath $(BUILD))/arm64
ARM64_ROOT      := $(ARM64)/root
ARM64_LIB       := $(ARM64_ROOT)/usr/lib/aarch64-linux-gnu
ARM64_PATH      := $(ARM64_LIB):$(ARM64_LIB)/openblas-pthread:$(ARM64_ROOT)/lib/aarch64-linux-gnu
# The loader by its name: with -L the emulator would lay another folder over /.
ARM64_LOADER    := /usr/aarch64-linux-gnu/lib
ARM64_EMULATOR  := qemu-aarch64 -E OPENBLAS_CORETYPE=ARMV8 $(ARM64_LOADER)/ld-linux-aarch64.so.1 \
                   --library-path $(ARM64_PATH):$(ARM64_LOADER)
ARM64_MAKE = $(MAKE) --no-print-directory BUILD=$(ARM64) CC="$(CCACHE) aarch64-linux-gnu-gcc" \
             AR=aarch64-linux-gnu-ar NM=aarch64-linux-gnu-nm XSMM= EMULATOR="$(ARM64_EMULATOR)" \
             CFLAGS="-isystem $(ARM64_ROOT)/usr/include -isystem $(ARM64_ROOT)/usr/include/aarch64-linux-gnu" \
             LDFLAGS="-L$(ARM64_LIB) -L$(ARM64_LIB)/openblas-pthread -Wl,-rpath-link,$(ARM64_PATH)"

# A run under emulation, of few steps and samples: every cell must end, and have its rows.
SHORT_RUN = experiments/quickstart.yaml --no-claims --quiet --set seeds=[0] --set train.steps=3 \
            --set evaluate.samples=16

# Many minutes each under emulation; what they ask of the kernels is asked by the tests of those.
EMULATED_SLOW := $(addprefix %/model/test_,soundness soundness-double gradient-double normaliser-double \
                              padding padding-double lengths lengths-double)
EMULATED_TESTS = $(filter-out $(EMULATED_SLOW),$(foreach l,$(EMULATED_LAYERS),$(call programs_of,$l)))

.PHONY: arm64 portable emulated-tests
emulated-tests: $(OUT)/urpe-probe $(EMULATED_TESTS)
	@$(RUN_TESTS) $(EMULATED_TESTS)
	@rm -rf $(OUT)/quickstart
	$(EMULATOR) $(OUT)/urpe-probe run $(SHORT_RUN) --out $(OUT)/quickstart >/dev/null

arm64: export PKG_CONFIG_LIBDIR = $(ARM64_LIB)/pkgconfig:$(ARM64_LIB)/openblas-pthread/pkgconfig
arm64: export PKG_CONFIG_SYSROOT_DIR = $(ARM64_ROOT)
arm64:
	@tests/portable/root.sh $(ARM64_ROOT)
	+@$(ARM64_MAKE) emulated-tests

FLAGS_portable := -O1 -g -DPORTABLE_ONLY
PLAIN_TESTS = $(foreach l,base target,$(call programs_of,$l)) \
              $(patsubst %,$(OUT)/tests/run/test_%,death run stop)
.PHONY: plain-tests
plain-tests: $(OUT)/urpe-probe $(PLAIN_TESTS)
	@URPE_PROBE=$(abspath $<) $(RUN_TESTS) tests/survival/stops.bats $(PLAIN_TESTS)
portable:
	@$(MAKE) --no-print-directory CONFIG=portable XSMM= plain-tests
