/* gzip files: what zlib reads back, the same bytes each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/gzip.h"
#include "base/memory.h"

static void packed_and_back(void **state)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 400000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct err e = {0};
        struct text once = {0}, twice = {0};
        char *bytes = memory_alloc(sizes[k] + 1, 1, &e), *back = memory_alloc(sizes[k] + 1, 1, &e);
        for (size_t i = 0; i < sizes[k]; i++)
            bytes[i] = (char)(i * i / 7);
        assert_int_equal(gzip_append(&once, bytes, sizes[k], &e), 0);
        assert_int_equal(gzip_append(&twice, bytes, sizes[k], &e), 0);
        assert_int_equal(once.length, twice.length);
        assert_memory_equal(once.data, twice.data, once.length);
        z_stream z = {.next_in = (unsigned char *)once.data, .avail_in = (uInt)once.length,
                      .next_out = (unsigned char *)back, .avail_out = (uInt)sizes[k] + 1};
        assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, sizes[k]);
        assert_memory_equal(bytes, back, sizes[k]);
        inflateEnd(&z);
        text_close(&once);
        text_close(&twice);
        memory_free(bytes);
        memory_free(back);
    }
}

/* Of a pipe's worth and none, of what is cut short, too large, or no gzip file. */
static void expanded(void **state)
{
    static const char words[] = "none of it";
    static char bytes[200000];
    struct err e = {0};
    struct text packed = {0}, back = {0};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * i / 7);
    assert_int_equal(gzip_append(&packed, bytes, sizeof bytes, &e), 0);
    text_append(&back, "before");
    assert_int_equal(gzip_expand(&back, "f", packed.data, packed.length, sizeof bytes, &e), 0);
    assert_int_equal(back.length, strlen("before") + sizeof bytes);
    assert_memory_equal(back.data + strlen("before"), bytes, sizeof bytes);
    text_clear(&back);
    assert_int_equal(gzip_expand(&back, "f", packed.data, packed.length, sizeof bytes - 1, &e), ERR_FORMAT);
    assert_string_equal(e.where, "f");
    text_clear(&back);
    assert_int_equal(gzip_expand(&back, "f", packed.data, packed.length - 1, sizeof bytes, &e), ERR_FORMAT);
    assert_int_equal(gzip_expand(&back, "f", words, sizeof words, sizeof bytes, &e), ERR_FORMAT);
    assert_int_equal(gzip_expand(&back, "f", words, 0, sizeof bytes, &e), ERR_FORMAT);
    text_close(&packed);
    text_close(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(packed_and_back), cmocka_unit_test(expanded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
