# The theorem behind the floors, checked by Coq (tests/theory/proof/README.md).
.PHONY: proof
proof: deps
	@tests/tools/deps.sh proof
	@$(MAKE) --no-print-directory all
	@tests/theory/proof/prove.sh $(BUILD)/proof $(BUILD)/urpe-probe
