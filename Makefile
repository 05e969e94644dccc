# urpe-probe.  `make help` lists the targets.
#
# What is numeric is compiled twice: with real = float, and again with -DREAL_DOUBLE.  The names that
# the first set defines are listed with nm, and the second set is compiled with a header that puts
# "_double" behind each of them, so both live in one program (lib/base/real.h).

CC       ?= cc
CONFIG   ?= release
BUILD    ?= build
PREFIX   ?= /usr/local
NM       ?= nm
OUT      := $(BUILD)/$(CONFIG)
VERSION  := 0.1.0

# The rooms of lib/, lowest first, and whose headers each sees, itself or through other headers.
# `make lint` compares; a test of a room links what its row leads to.
LAYERS        := base kernel lua space mask target normaliser encoding floor model train witness spec report run
SEES_base     :=
SEES_kernel   := base
SEES_lua      := base
SEES_space    := base
SEES_mask     := base space
SEES_target   := base lua space
SEES_normaliser := base kernel
SEES_encoding := base kernel lua space
SEES_floor    := base space
SEES_model    := base kernel space mask normaliser encoding floor
SEES_train    := base kernel space mask target normaliser encoding floor model
SEES_witness  := base kernel space mask target normaliser encoding floor model
SEES_spec     := base space mask target normaliser encoding floor model train witness
SEES_report   := base space mask target normaliser encoding floor model train witness spec
SEES_run      := base kernel space mask target normaliser encoding floor model train witness spec report
# Numeric, which is compiled twice: all files of these rooms, and of the others those that say `real`.
NUMERIC  := $(wildcard $(foreach l,kernel normaliser encoding model train,lib/$l/*.c)) \
            $(foreach f,conditions plain rest signal trial,lib/witness/$f.c)
# BELOW_x: room x and what it needs, highest first, as the linker reads them.
reverse = $(if $1,$(call reverse,$(wordlist 2,$(words $1),$1)) $(firstword $1))
$(foreach l,$(LAYERS),$(eval BELOW_$l := $(filter $l $(foreach s,$(SEES_$l),$(BELOW_$s)),$(call reverse,$(LAYERS)))))

TARGET := $(shell $(CC) -dumpmachine 2>/dev/null)
PACKAGES := gsl openblas yaml-0.1 libcjson nettle lua5.4 zlib
# Optional, and for x86-64 only: kernels for small matrix products.  XSMM= builds without.
XSMM ?= $(if $(filter x86_64-%,$(TARGET)),$(shell pkg-config --exists libxsmm && echo libxsmm))
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(if $(XSMM),-DHAVE_LIBXSMM $(shell pkg-config --cflags $(XSMM)))
# GSL comes with a reference CBLAS of its own, which must not win over the fast one.
PKG_LIBS   := $(filter-out -lgslcblas,$(if $(XSMM),$(shell pkg-config --libs $(XSMM))) $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)) -lpthread -lm

# A function in a table takes what all of its kind take, whether it looks at it or not.
WARN := -Wall -Wextra -Wno-unused-parameter -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
# -g1: lines for debuggers and profilers; tracking every variable makes the kernels' compilation twice as long.
FLAGS_release := -O3 -g1
FLAGS_debug   := -O1 -g -DMEMORY_DEBUG
FLAGS_asan    := -O1 -g -DMEMORY_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g -fsanitize=thread
LINK_asan     := -fsanitize=address,undefined
LINK_tsan     := -fsanitize=thread
CFLAGS   ?=
# -ffp-contract=off: the same sums whatever the compiler would like to fuse; the fast kernels ask
# for fused multiply-add by name.
ALL_CFLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -ffp-contract=off -fno-math-errno \
             $(WARN) $(FLAGS_$(CONFIG)) -Ilib -DURPE_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINK_$(CONFIG)) $(LDFLAGS)

ifeq ($(CI),true)
WARN += -Werror
endif
Q := $(if $(V),,@)

# Kernel variants: a file named *_avx2.c or *_avx512.c is compiled for that instruction set and
# chosen at run time.  On another machine type the file is empty (it tests __x86_64__ itself).
# gcc 12 for arm64 dies of an internal error where it makes vectors of the largest of several.
ifneq ($(filter aarch64-%,$(TARGET)),)
ALL_CFLAGS += $(addprefix -fno-builtin-,fmax fmaxf fmin fminf)
endif
ifneq ($(filter x86_64-%,$(TARGET)),)
VARIANT_avx2   := -mavx2 -mfma
VARIANT_avx512 := -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512
endif
variant_flags = $(if $(filter %_avx2.c,$1),$(VARIANT_avx2))$(if $(filter %_avx512.c,$1),$(VARIANT_avx512)) \
                $(if $(and $(findstring /variant_,$1),$(filter $2,$(UNSANITIZED_$(CONFIG)))),-fno-sanitize=all)
# Sanitizers make minutes of compiling the kernel variants.  The double set is the same source; fuzzers
# hardly reach either.
UNSANITIZED_asan := double
UNSANITIZED_fuzz := float double

sources = $(sort $(wildcard lib/$1/*.c))
float_objects  = $(patsubst lib/%.c,$(OUT)/float/%.o,$(call sources,$1))
numeric        = $(filter $(NUMERIC),$(call sources,$1))
double_objects = $(patsubst lib/%.c,$(OUT)/double/%.o,$(call numeric,$1))
float_archive  = $(OUT)/lib$1.a
double_archive = $(if $(call numeric,$1),$(OUT)/lib$1-double.a)

.PHONY: all help
all: $(BUILD)/urpe-probe

# ---- libraries ---------------------------------------------------------------------------------
$(OUT)/float/%.o: lib/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC     $<")
	$(Q)$(CC) $(ALL_CFLAGS) $(call variant_flags,$<,float) -MMD -MP -c -o $@ $<

names_of = $(foreach l,$(BELOW_$1),$(if $(call numeric,$l),$(OUT)/names/$l.h))
define layer_rules
$(OUT)/lib$1.a: $(call float_objects,$1)
	@rm -f $$@ && $(AR) rcs $$@ $$^
ifneq ($(call numeric,$1),)
$(OUT)/names/$1.h: $(patsubst lib/%.c,$(OUT)/float/%.o,$(call numeric,$1))
	@mkdir -p $$(@D)
	@$(NM) -g -P $$^ | awk '$$$$2 ~ /^[TDRBCGS]$$$$/ {sub(/^_/, "", $$$$1); if ($$$$1 !~ /^_/) print "#define " $$$$1 " " $$$$1 "_double"}' | sort -u > $$@.new
	@cmp -s $$@.new $$@ && rm $$@.new || mv $$@.new $$@
$(call double_objects,$1): $(OUT)/double/%.o: lib/%.c $(call names_of,$1)
	@mkdir -p $$(@D)
	$(if $(V),,@echo "  CC     $$< (double)")
	$(Q)$(CC) $(ALL_CFLAGS) $$(call variant_flags,$$<,double) -DREAL_DOUBLE $$(foreach h,$(call names_of,$1),-include $$h) -MMD -MP -c -o $$@ $$<
$(OUT)/lib$1-double.a: $(call double_objects,$1)
	@rm -f $$@ && $(AR) rcs $$@ $$^
endif
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$l)))
archives = $(foreach l,$(BELOW_$1),$(call float_archive,$l) $(call double_archive,$l))

# ---- the program -------------------------------------------------------------------------------
CMD_SOURCES := $(sort $(wildcard cmd/urpe-probe/*.c))
CMD_OBJECTS := $(patsubst cmd/%.c,$(OUT)/cmd/%.o,$(CMD_SOURCES))
$(OUT)/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC     $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(OUT)/urpe-probe: $(CMD_OBJECTS) $(call archives,run)
	$(if $(V),,@echo "  LD     $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(CMD_OBJECTS) $(call archives,run) $(PKG_LIBS)
$(BUILD)/urpe-probe: $(OUT)/urpe-probe
	@cp -f $< $@

# ---- tests -------------------------------------------------------------------------------------
# tests/<layer>/test_*.c: one cmocka program each, linked with the layer and what lies below it;
# tests of layers with numeric files are built twice, as test_x and test_x-double.  Shared helpers of
# a layer's tests are tests/<layer>/help_*.c, each compiled once.
# No program takes a tenth of TEST_SECONDS on an idle machine.
TEST_SECONDS ?= $(if $(filter release,$(CONFIG)),600,1800)
# EMULATOR: what runs a program of another machine type (make arm64).
RUN_TESTS = TEST_SECONDS=$(TEST_SECONDS) EMULATOR="$(EMULATOR)" tests/tools/run-tests.sh $(if $(SUMMARY),--summary $(SUMMARY)) $(OUT)/tests/logs
CMOCKA_LIBS := $(shell pkg-config --libs cmocka 2>/dev/null)
# What the tests of a layer use besides: helpers of other layers' tests; what the tests of floor name
# classes by.
HELP_model   := floor/help_floor
HELP_witness := floor/help_floor
LINK_floor   := model
linked       = $(or $(LINK_$1),$1)
test_objects = $(patsubst tests/%.c,$(OUT)/tests/%$2.o,$(sort $(wildcard tests/$1/$3*.c)))
tests_of     = $(patsubst %.o,%,$(call test_objects,$1,,test_))
helpers_of   = $(call test_objects,$1,$2,help_) $(HELP_$1:%=$(OUT)/tests/%$2.o)
programs_of  = $(call tests_of,$1) $(if $(call numeric,$1),$(addsuffix -double,$(call tests_of,$1)))
TEST_CC      = $(CC) $(ALL_CFLAGS) -Itests -MMD -MP
define test_rules
$(call test_objects,$1): $(OUT)/tests/%.o: tests/%.c
	@mkdir -p $$(@D)
	$(Q)$(TEST_CC) -c -o $$@ $$<
$(call test_objects,$1,-double): $(OUT)/tests/%-double.o: tests/%.c $(call names_of,$(call linked,$1))
	@mkdir -p $$(@D)
	$(Q)$(TEST_CC) -DREAL_DOUBLE $(foreach h,$(call names_of,$(call linked,$1)),-include $h) -c -o $$@ $$<
$(call tests_of,$1): %: %.o $(call helpers_of,$1) $(call archives,$(call linked,$1))
$(addsuffix -double,$(call tests_of,$1)): %: %.o $(call helpers_of,$1,-double) $(call archives,$1)
$(call programs_of,$1):
	$(if $(V),,@echo "  TEST   $$@")
	$(Q)$(CC) $(ALL_CFLAGS) -o $$@ $$(filter %.o,$$^) $(ALL_LDFLAGS) $(call archives,$(call linked,$1)) $(CMOCKA_LIBS) $(PKG_LIBS)
.PHONY: test-$1
test-$1: $(call programs_of,$1)
	@$(RUN_TESTS) $$^
endef
$(foreach l,$(LAYERS),$(eval $(call test_rules,$l)))

# ---- what people type --------------------------------------------------------------------------
BATS := $(sort $(wildcard tests/cmd/*.bats tests/survival/*.bats tests/tools/*.bats))
ALL_TESTS := $(foreach l,$(LAYERS),$(call programs_of,$l))
# Under sanitizers the double set, which is the same source, what runs no program of ours that is
# built so, certificates by the thousand and a second Slurm would double the time and find nothing.
ifeq ($(CONFIG),asan)
ALL_TESTS := $(filter-out %-double,$(ALL_TESTS))
BATS := $(filter-out $(addprefix tests/cmd/,$(addsuffix .bats,certificates certificates_every certificates_program \
          quoted install own_torch possible_torch witness_torch)) tests/survival/slurm.bats,$(BATS))
endif
# Those that take longest begin, so that none is left over at the end.
SLOW := $(patsubst %,tests/%.bats,cmd/card cmd/certificates_program cmd/echo survival/interrupt survival/slurm survival/stops)
slow_first = $(filter $(SLOW),$1) $(filter-out $(SLOW),$1)
.PHONY: deps deps-ci quickstart test test-slow check tests lint asan ubsan tsan valgrind gradcheck experiments bench install uninstall deb clean
deps:
	@tests/tools/deps.sh run
deps-ci: deps
	@tests/tools/deps.sh ci

# The recipes below call make again, so that pkg-config sees what deps has just installed; on all
# processors, where the caller has not said on how many.
ALL_CPUS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))
quickstart: deps
	@$(MAKE) --no-print-directory $(ALL_CPUS) all
	@$(BUILD)/urpe-probe run experiments/quickstart.yaml; status=$$?; [ $$status -le 1 ] || exit $$status; \
	$(BUILD)/urpe-probe report results/quickstart --no-claims >/dev/null || exit $$?; \
	[ $$status = 1 ] || printf '%s\n' '' \
	  'Without C (rpe) no network, of any size, is below the column floor: on identical' \
	  'tokens position, gain, affine and prefix_sum are out of reach.  Multiplying the' \
	  'softmax by a learned C (urpe) takes that floor away, and the same models come' \
	  'within the tolerance on all of them.'; exit $$status

test: deps
	@$(MAKE) --no-print-directory $(ALL_CPUS) check

tests: $(ALL_TESTS)
check: $(OUT)/urpe-probe $(ALL_TESTS) $(OUT)/tests/tools/failing
	@tests/tools/check-runner.sh $(OUT)/tests/tools/failing
	@URPE_PROBE=$(abspath $(OUT)/urpe-probe) $(RUN_TESTS) $(call slow_first,$(BATS) $(ALL_TESTS))
$(OUT)/tests/tools/failing: tests/tools/failing.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(CMOCKA_LIBS)

# The long form of what `test` does in short.
test-slow: deps
	@URPE_FULL=1 URPE_KILLS=50 URPE_STOPS=100 URPE_FOLDERS=1200 $(MAKE) --no-print-directory TEST_SECONDS=3600 check

gradcheck: $(OUT)/tests/model/test_gradient-double
	$<

lint:
	@tests/tools/layers.sh
	@if command -v shellcheck >/dev/null; then shellcheck tests/tools/*.sh && \
	    shellcheck --include=SC2314,SC2315 $(BATS); fi # a ! that no test fails by

# Sanitizers: every test, built again.
asan:
	@$(MAKE) --no-print-directory CONFIG=asan check
tsan:
	@$(MAKE) --no-print-directory CONFIG=tsan test-train

# Leaks and bad reads in a short run, one worker, one thread, from start to end.
valgrind: $(BUILD)/urpe-probe
	@rm -rf $(OUT)/valgrind
	URPE_KERNEL=portable OPENBLAS_CORETYPE=Prescott valgrind -q --leak-check=full \
	  --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
	  --error-exitcode=9 --trace-children=yes \
	  $(BUILD)/urpe-probe run experiments/quickstart.yaml --out $(OUT)/valgrind --no-claims --jobs 1 \
	  --threads 1 --set seeds=[0] --set target.kind=gain --set train.steps=3 --set evaluate.samples=16

# Runs the experiments that have a page, and renews figure, table and summary of each.
PAGES := $(filter $(patsubst experiments/%.yaml,%,$(wildcard experiments/*.yaml)), \
  $(patsubst experiments/%.md,%,$(wildcard experiments/*.md)))
experiments: $(BUILD)/urpe-probe
	@tests/tools/deps.sh data
	experiments/page.sh $(BUILD)/urpe-probe $(PAGES)

bench: $(BUILD)/urpe-probe
	$(BUILD)/urpe-probe bench

# The man page and the shells' completion, as the program itself writes them.
SHARE := $(DESTDIR)$(PREFIX)/share
# What `urpe-probe card` goes through, and the results of the built-in encodings.
BATTERY := $(wildcard $(addprefix experiments/atlas.,yaml csv csv.gz))
$(BUILD)/share/urpe-probe.%: $(BUILD)/urpe-probe
	@mkdir -p $(@D)
	@$< completion $* >$@.new && mv $@.new $@

install: $(BUILD)/urpe-probe $(addprefix $(BUILD)/share/urpe-probe.,man bash zsh fish)
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions
	install -d $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	install -m 755 $(BUILD)/urpe-probe $(DESTDIR)$(PREFIX)/bin/urpe-probe
	install -m 755 cmd/urpe-probe-check/urpe-probe-check $(DESTDIR)$(PREFIX)/bin/urpe-probe-check
	install -d $(SHARE)/urpe-probe
	install -m 644 $(BATTERY) $(SHARE)/urpe-probe
	install -m 644 $(BUILD)/share/urpe-probe.man $(SHARE)/man/man1/urpe-probe.1
	install -m 644 $(BUILD)/share/urpe-probe.bash $(SHARE)/bash-completion/completions/urpe-probe
	install -m 644 $(BUILD)/share/urpe-probe.zsh $(SHARE)/zsh/site-functions/_urpe-probe
	install -m 644 $(BUILD)/share/urpe-probe.fish $(SHARE)/fish/vendor_completions.d/urpe-probe.fish

# What install puts there, and nothing else.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,urpe-probe urpe-probe-check) $(SHARE)/man/man1/urpe-probe.1
	rm -f $(SHARE)/bash-completion/completions/urpe-probe $(SHARE)/zsh/site-functions/_urpe-probe
	rm -f $(SHARE)/fish/vendor_completions.d/urpe-probe.fish $(addprefix $(SHARE)/urpe-probe/,$(notdir $(BATTERY)))
	-@rmdir $(SHARE)/urpe-probe 2>/dev/null

# A Debian package of the staged files: $(BUILD)/urpe-probe_VERSION_ARCH.deb.  Libraries are those that
# the program was linked with here, by the packages that own them.
DEB := $(BUILD)/deb
deb: $(BUILD)/urpe-probe
	@rm -rf $(DEB)
	@$(MAKE) --no-print-directory -o $< install DESTDIR=$(DEB)/root PREFIX=/usr >/dev/null
	@tests/tools/deb.sh $(DEB) $(BUILD) $(VERSION)

clean:
	rm -rf $(BUILD)

help:
	@echo "make              build $(BUILD)/urpe-probe"
	@echo "make quickstart   install what is missing, build, run experiments/quickstart.yaml, report"
	@echo "make test         install what is missing, build, run every test"
	@echo "make deps         install what building, testing and figures need"
	@echo "make deps-ci      install what continuous integration needs besides"
	@echo "make test-LAYER   tests of one layer: $(LAYERS)"
	@echo "make gradcheck    gradients against finite differences"
	@echo "make lint         layers, includes, shell scripts"
	@echo "make asan, tsan   the tests under sanitizers"
	@echo "make arm64        tests and a short run for 64-bit ARM, under emulation (needs qemu-user)"
	@echo "make portable     tests without anything that only Linux has"
	@echo "make fuzz         fuzzers, a million executions each (fuzz-short: FUZZ_SECONDS each)"
	@echo "make valgrind     leaks and bad reads in a short run"
	@echo "make proof        the theorem behind the floors, checked by Coq"
	@echo "make test-slow    all combinations, where make test goes by turns; survival tests at full length"
	@echo "make experiments  the experiments that have a page, their figures and summaries"
	@echo "make bench        training steps against this machine's own SGEMM"
	@echo "make bench-torch  the same steps in PyTorch, in turn (needs python3-torch)"
	@echo "make install      program, man page, completion to PREFIX=$(PREFIX), under DESTDIR"
	@echo "make uninstall    removes what install put there"
	@echo "make deb          a Debian package in $(BUILD)/"
	@echo "make clean        remove $(BUILD)/"

-include $(wildcard tests/*/rules.mk)
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
