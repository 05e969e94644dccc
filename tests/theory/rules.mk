# The theorem behind the floors, checked by Coq (tests/theory/proof/README.md).
.PHONY: proof
proof:
	@tests/tools/deps.sh proof
	@tests/theory/proof/prove.sh $(BUILD)/proof
