# Tests of the program itself, as people call it.
.PHONY: test-cmd
test-cmd: $(OUT)/urpe-probe
	@URPE_PROBE=$(abspath $(OUT)/urpe-probe) $(RUN_TESTS) $(sort $(wildcard tests/cmd/*.bats))
