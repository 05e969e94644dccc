# Coverage-guided fuzzers for everything that reads what others wrote.  They need clang.
#   make fuzz         a million executions each, or FUZZ_RUNS: 3000 are 21,000 changed inputs, in minutes
#   make fuzz-short   replays the corpora, then FUZZ_SECONDS each, TEST_JOBS at once (as many as there are cores)
# What a fuzzer finds is put into tests/fuzz/corpus/NAME/, which every call replays.
FUZZ_RUNS    ?= 1000000
FUZZ_SECONDS ?= 60
FUZZERS      := spec safetensors checkpoint csv edges lua data
FUZZ_PROGRAMS := $(patsubst %,$(OUT)/fuzz/fuzz_%,$(FUZZERS))
FLAGS_fuzz   := -O1 -g -DMEMORY_DEBUG -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_fuzz    := -fsanitize=fuzzer,address,undefined

.PHONY: fuzz fuzz-short fuzz-programs
$(FUZZ_PROGRAMS): $(OUT)/fuzz/%: tests/fuzz/%.c $(call archives,run)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ   $@")
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(call archives,run) $(PKG_LIBS)
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz:
	@$(MAKE) --no-print-directory CONFIG=fuzz CC=clang fuzz-programs
	@tests/fuzz/fuzz.sh $(if $(SUMMARY),--summary $(SUMMARY)) $(BUILD)/fuzz/fuzz -runs=$(FUZZ_RUNS) $(FUZZERS)
fuzz-short:
	@$(MAKE) --no-print-directory CONFIG=fuzz CC=clang fuzz-programs
	@printf '%s\n' $(FUZZERS) | xargs -P "$${TEST_JOBS:-$$(nproc)}" -I NAME \
	  tests/fuzz/fuzz.sh $(if $(SUMMARY),--summary $(SUMMARY)) $(BUILD)/fuzz/fuzz -max_total_time=$(FUZZ_SECONDS) NAME
