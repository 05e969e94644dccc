/* Windows of a text: what they hold, where they lie, and which texts are refused. */
#include <string.h>

#include "base/file.h"
#include "base/named_file.h"
#include "target/help_target.h"

enum { SIZE = 1000, N = 8 };
enum { EVALUATE_TEST, EVALUATE_SELECTION };

/* Two bytes tell where in the text they are. */
static unsigned char byte_at(int k)
{
    return (unsigned char)(k % 2 ? 128 + k / 250 : k / 2 % 125);
}

static int place_of(const int32_t *x)
{
    return x[0] < 128 ? (x[1] - 128) * 250 + 2 * x[0] : 1 + place_of(x + 1) - 2;
}

static void configure(struct fixture *f, int n)
{
    unsigned char bytes[SIZE];
    for (int k = 0; k < SIZE; k++)
        bytes[k] = byte_at(k);
    fixture_configure(f, NULL, fixture_kind("text"), n, 1);
    fixture_text(f, bytes, SIZE);
}

/* Where the window begins; every byte and label of it is checked. */
static int drawn_at(struct fixture *f, uint64_t number, uint64_t count)
{
    int32_t x[64], label_[64];
    fixture_draw(f, number, count, x, label_);
    int at = place_of(x);
    for (int i = 0; i < f->layout.n; i++) {
        assert_int_equal(x[i], byte_at(at + i));
        assert_int_equal(label_[i], byte_at(at + i + 1));
    }
    return at;
}

/* 1000 bytes: 0..799 are trained on, 800..899 select, 900..999 test; a window of 8 has a ninth
 * byte, its last label. */
static void test_parts(void **state)
{
    for (int part = EVALUATE_TEST; part <= EVALUATE_SELECTION; part++) {
        struct fixture f;
        int low = SIZE, high = 0, first = part == EVALUATE_TEST ? 900 : 800;
        configure(&f, N);
        fixture_set(&f, "evaluate", part);
        fixture_open(&f);
        for (uint64_t k = 0; k < 20000; k++) {
            int at = drawn_at(&f, k, 0);
            low = at < low ? at : low;
            high = at > high ? at : high;
        }
        assert_int_equal(low, 0);
        assert_int_equal(high, 800 - N - 1);
        assert_int_equal(drawn_at(&f, 0, 5), first);
        assert_int_equal(drawn_at(&f, 4, 5), first + 100 - N - 1);
        assert_int_equal(drawn_at(&f, 0, 1), first);
        for (uint64_t count = 2; count <= 12; count++) /* 12 x 8 < 100 */
            for (uint64_t k = 0; k < count; k++) {
                int at = drawn_at(&f, k, count);
                assert_in_range(at, first, first + 100 - N - 1);
                assert_true(k == 0 || at >= drawn_at(&f, k - 1, count) + N);
            }
        fixture_close(&f);
    }
}

static void test_shares(void **state)
{
    struct fixture f;
    configure(&f, N);
    fixture_set(&f, "selection", 0);
    fixture_set(&f, "test", 0.5);
    fixture_open(&f);
    int high = 0;
    for (uint64_t k = 0; k < 20000; k++) {
        int at = drawn_at(&f, k, 0);
        high = at > high ? at : high;
    }
    assert_int_equal(high, 500 - N - 1);
    assert_int_equal(drawn_at(&f, 0, 9), 500);
    assert_int_equal(drawn_at(&f, 8, 9), SIZE - N - 1);
    fixture_close(&f);
}

/* All starts of a training part come, about as often as each other: 16 windows, 3200 draws. */
static void test_training_windows_are_uniform(void **state)
{
    struct fixture f;
    int count[1000] = {0};
    configure(&f, 784);
    int32_t *x = memory_alloc(2 * 784, sizeof *x, NULL);
    assert_non_null(x);
    struct arena arena;
    struct layout l = {.n = 784};
    void *opened;
    struct err e = {0};
    assert_int_equal(arena_open(&arena, 0, &e), 0);
    assert_int_equal(f.target->open(&f.config, &f.space, 784, &arena, &opened, &e), 0);
    for (uint64_t k = 0; k < 3200; k++) {
        struct stream random;
        stream_open(&random, 1, "test", k);
        struct target_sample t = target_sample(opened, &f.config, &l);
        assert_int_equal(f.target->draw(&t, &random, k, 0, x, x + 784, &e), 0);
        count[place_of(x)]++;
    }
    for (int k = 0; k < 16; k++)
        assert_in_range(count[k], 200 - 6 * 14, 200 + 6 * 14); /* sd 13.7 */
    arena_close(&arena);
    memory_free(x);
}

/* A byte is a symbol whatever the vocabulary of other targets is. */
static void test_sizes(void **state)
{
    struct fixture f;
    configure(&f, N);
    f.config.vocab = 10;
    assert_int_equal(target_vocab(&f.config), 256);
    assert_int_equal(target_symbols(&f.config), 256);
    assert_int_equal(target_labels(&f.config, 5), 256);
    unsigned char high[SIZE];
    memset(high, 0xff, SIZE);
    fixture_text(&f, high, SIZE);
    fixture_open(&f);
    int32_t x[N], label_[N];
    fixture_draw(&f, 0, 1, x, label_);
    assert_int_equal(x[0], 255);
    fixture_close(&f);
}

static void refused(struct fixture *f, const char *where, const char *phrase)
{
    struct err e = {0};
    assert_int_equal(target_check(&f->config, &f->space, &e), ERR_USAGE);
    assert_string_equal(e.where, where);
    if (!strstr(e.msg, phrase) || !strstr(e.msg, "expected"))
        fail_msg("'%s' does not hold '%s' and what was expected", e.msg, phrase);
}

static void test_refusals(void **state)
{
    struct fixture f;
    struct err e = {0};
    configure(&f, N);
    assert_int_equal(target_check(&f.config, &f.space, &e), 0);
    f.config.kind.text[0].text[0] = 0;
    refused(&f, "target.kind", "no text");
    configure(&f, N);
    fixture_text(&f, "", 0);
    refused(&f, "target.file", "is empty");
    fixture_text(&f, "abcdefgh", 8);
    refused(&f, "target.file", "the training part has 8 bytes; expected at least 9");
    configure(&f, 99); /* and a label: the 100 bytes that the test part has */
    assert_int_equal(target_check(&f.config, &f.space, &e), 0);
    configure(&f, 100);
    refused(&f, "target.file", "the test part has 100 bytes; expected at least 101");
    fixture_set(&f, "evaluate", EVALUATE_SELECTION);
    fixture_set(&f, "test", 0);
    refused(&f, "target.file", "the selection part has 100 bytes");
    fixture_set(&f, "selection", 0.5);
    fixture_set(&f, "test", 0.5);
    refused(&f, "target.file", "the training part has 0 bytes");
    configure(&f, N);
    f.space.share[PATTERN_PERIODIC] = 0.25;
    refused(&f, "space.inputs", "'periodic'");
    fixture_configure(&f, "grid", fixture_kind("text"), 9, 1);
    refused(&f, "target.kind", "positions on a line");
}

/* A longer layout than the target was checked for never reads beyond its part. */
static void test_draw_refuses_too_long(void **state)
{
    struct fixture f;
    struct err e = {0};
    int32_t x[2 * SIZE];
    configure(&f, N);
    fixture_open(&f);
    struct layout longer = {.n = 100};
    struct target_sample t = target_sample(f.state, &f.config, &longer);
    assert_int_equal(f.target->draw(&t, NULL, 0, 2, x, x + SIZE, &e), ERR_USAGE);
    fixture_close(&f);
}

/* The text that was read is the one of the spec, or there is an error. */
static void test_changed_text(void **state)
{
    struct fixture f;
    struct err e = {0};
    struct arena arena;
    void *opened;
    configure(&f, N);
    const char *path = named_file_path(f.config.kind.text[0].text);
    unsigned char other[SIZE] = {0};
    assert_int_equal(file_write(path, other, SIZE, &e), 0);
    assert_int_equal(arena_open(&arena, 0, &e), 0);
    assert_int_equal(f.target->open(&f.config, &f.space, N, &arena, &opened, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "has changed"));
    arena_close(&arena);
    struct err gone = {0};
    file_remove(path, NULL);
    assert_int_equal(target_check(&f.config, &f.space, &gone), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_training_windows_are_uniform),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_draw_refuses_too_long),
        cmocka_unit_test(test_changed_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
