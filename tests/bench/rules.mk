# Benchmarks for people who change the code; not part of any test.
.PHONY: bench-kernel
$(OUT)/bench/kernel_bench: tests/bench/kernel_bench.c $(call archives,kernel)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(call archives,kernel) $(PKG_LIBS)
$(OUT)/bench/kernel_bench-double: tests/bench/kernel_bench.c $(call archives,kernel)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -DREAL_DOUBLE -include $(OUT)/names/kernel.h -o $@ $< $(ALL_LDFLAGS) $(call archives,kernel) $(PKG_LIBS)
bench-kernel: $(OUT)/bench/kernel_bench
	$<

# Ours against PyTorch (Debian's python3-torch), the same steps from the same weights.
.PHONY: bench-torch
$(OUT)/bench/step_data: tests/bench/step_data.c $(call archives,run)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(ALL_LDFLAGS) $(call archives,run) $(PKG_LIBS)
bench-torch: $(OUT)/bench/step_data
	tests/bench/torch_step.py $<
