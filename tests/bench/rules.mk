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
