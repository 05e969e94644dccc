/* Safetensors: what is written is read back, and everything else is refused with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/help_folder.h"
#include "base/memory.h"
#include "base/safetensors.h"
#include "base/text.h"

static const float f32[6] = {1, -2, 0.5f, 3e38f, -0.0f, 1e-45f};
static const double f64[1] = {1.0 / 3};
static const int32_t i32[3] = {1, INT32_MIN, INT32_MAX};
static const int64_t i64[2] = {INT64_MIN, INT64_MAX};
static const struct safetensor sample[] = {
    {"layers.0.weight", SAFETENSORS_F32, 2, {2, 3}, 6, f32},
    {"scalar", SAFETENSORS_F64, 0, {0}, 1, f64},
    {"odd \"name\" \\ \n \xc3\xa9", SAFETENSORS_I32, 1, {3}, 3, i32},
    {"ids", SAFETENSORS_I64, 1, {2}, 2, i64},
    {"none", SAFETENSORS_F32, 2, {0, 5}, 0, f32},
};
enum { SAMPLE = sizeof sample / sizeof *sample };

static void round_trip(void **state)
{
    static const char *const metadata[] = {"format", "pt", "a \"key\"", "line\nline", NULL};
    char folder[FOLDER_MAX], path[FOLDER_MAX + 8], *first, *second;
    size_t size, again;
    struct safetensors s;
    struct err e = {0};
    help_folder_make(folder);
    snprintf(path, sizeof path, "%s/t", folder);
    assert_int_equal(safetensors_write(path, sample, SAMPLE, metadata, &e), 0);
    assert_int_equal(file_read(path, 10000, &first, &size, NULL), 0);
    if (safetensors_read(path, 10000, &s, &e) != 0)
        fail_msg("%s", e.msg);
    assert_int_equal(s.count, SAMPLE);
    for (int i = 0; i < SAMPLE; i++) {
        const struct safetensor *t = safetensors_find(&s, sample[i].name);
        assert_non_null(t);
        assert_int_equal(t->type, sample[i].type);
        assert_int_equal(t->rank, sample[i].rank);
        assert_int_equal(t->count, sample[i].count);
        assert_memory_equal(t->shape, sample[i].shape, sizeof t->shape);
        assert_int_equal((uintptr_t)t->data % safetensors_type_size(t->type), 0);
        assert_memory_equal(t->data, sample[i].data,
                            t->count * safetensors_type_size(t->type));
    }
    for (int i = 1; i < SAMPLE; i++) /* so every tensor is aligned in the file */
        assert_true(safetensors_type_size(s.item[i].type) <=
                    safetensors_type_size(s.item[i - 1].type));
    assert_null(safetensors_find(&s, "scala"));

    /* Written again in file order the bytes are the same. */
    assert_int_equal(safetensors_write(path, s.item, s.count, metadata, NULL), 0);
    assert_int_equal(file_read(path, 10000, &second, &again, NULL), 0);
    assert_int_equal(size, again);
    assert_memory_equal(first, second, size);
    safetensors_close(&s);

    e = (struct err){0};
    assert_int_equal(safetensors_read(path, size - 1, &s, &e), ERR_FORMAT); /* the limit */
    struct safetensor twins[2] = {sample[0], sample[0]};
    e = (struct err){0};
    assert_int_equal(safetensors_write(path, twins, 2, NULL, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "two tensors have the name"));
    assert_int_equal(safetensors_write(path, sample, 0, NULL, NULL), 0);
    assert_int_equal(safetensors_read(path, 10000, &s, NULL), 0);
    assert_int_equal(s.count, 0);
    safetensors_close(&s);
    memory_free(first);
    memory_free(second);
    help_folder_delete(folder);
}

/* Other readers map the file, so the data must begin at a multiple of 8 whatever the names. */
static void headers_are_padded(void **state)
{
    char folder[FOLDER_MAX], path[FOLDER_MAX + 8], *bytes;
    size_t size;
    help_folder_make(folder);
    snprintf(path, sizeof path, "%s/t", folder);
    for (int length = 1; length <= 8; length++) {
        struct safetensor t = sample[0];
        uint64_t header;
        memset(t.name, 'n', sizeof t.name);
        t.name[length] = '\0';
        assert_int_equal(safetensors_write(path, &t, 1, NULL, NULL), 0);
        assert_int_equal(file_read(path, 10000, &bytes, &size, NULL), 0);
        memcpy(&header, bytes, 8);
        assert_true(header % 8 == 0 && size == 8 + header + sizeof f32);
        memory_free(bytes);
    }
    help_folder_delete(folder);
}

/* A file of this header and `count` bytes of data, to be parsed. */
static int parse(const char *header, size_t length, size_t count, struct safetensors *out,
                 struct err *e)
{
    char *bytes = memory_alloc(8 + length + count, 1, NULL);
    uint64_t header_length = length;
    memcpy(bytes, &header_length, 8);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < count; i++)
        bytes[8 + length + i] = (char)i;
    return safetensors_parse("name", bytes, 8 + length + count, out, e);
}

#define T(name, type, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void good_headers_are_read(void **state)
{
    static const struct {
        const char *header;
        size_t data;
        int count;
    } good[] = {
        {"{}", 0, 0},
        {"{\"__metadata__\":{}}   ", 0, 0},
        {"{" T("a", "F32", "[2]", "[0,8]") "}", 8, 1},
        {"{" T("b", "F32", "[1]", "[4,8]") "," T("a", "I32", "[1,1,1,1,1,1,1,1]", "[0,4]") "}", 8,
         2},
        {"{" T("z", "F64", "[0]", "[4,4]") "," T("a", "F32", "[]", "[0,4]") "}", 4, 2},
        {"{\"a\":{\"data_offsets\":[0,4] ,\n\"shape\":[],\"dtype\":\"F32\"}}", 4, 1},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct safetensors s;
        struct err e = {0};
        if (parse(good[i].header, strlen(good[i].header), good[i].data, &s, &e) != 0)
            fail_msg("%s: %s", good[i].header, e.msg);
        assert_int_equal(s.count, good[i].count);
        for (int k = 1; k < s.count; k++) /* file order */
            assert_true(s.item[k].data >= s.item[k - 1].data);
        safetensors_close(&s);
    }
}

/* Headers of any length and tensors at any place are allowed; the data must come out aligned. */
static void data_is_aligned(void **state)
{
    static const char header[] =
        "{" T("a", "I32", "[1]", "[0,4]") "," T("b", "I64", "[2]", "[4,20]") "}       ";
    for (size_t cut = 0; cut < 8; cut++) {
        struct safetensors s;
        assert_int_equal(parse(header, sizeof header - 1 - cut, 20, &s, NULL), 0);
        const int64_t *b = safetensors_find(&s, "b")->data;
        assert_int_equal((uintptr_t)b % 8, 0);
        assert_int_equal((uintptr_t)safetensors_find(&s, "a")->data % 8, 0);
        assert_true(b[0] == 0x0b0a090807060504 && b[1] == 0x131211100f0e0d0c);
        safetensors_close(&s);
    }
}

static const struct {
    const char *header;
    size_t data;
    const char *message;
} bad_headers[] = {
    {"", 0, "does not begin with '{'"},
    {"[]", 0, "does not begin with '{'"},
    {" {}", 0, "does not begin with '{'"},
    {"{", 0, "not valid JSON"},
    {"{\"a\":}", 0, "not valid JSON"},
    {"{\"a\":nan}", 0, "not valid JSON"},
    {"{} {}", 0, "text behind its JSON object"},
    {"{\"a\x01\":1}", 0, "a control character at byte 11"},
    {"{\"a\\u0000\":1}", 0, "NUL in a string"},
    {"{\"a\":[[[[[[[[[[1]]]]]]]]]]}", 0, "nested too deeply"},
    {"{\"a\":1}", 0, "\"a\": not an object"},
    {"{\"a\":[]}", 0, "\"a\": not an object"},
    {"{\"__metadata__\":1}", 0, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, "the value of \"k\" is not a string"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "the name \"__metadata__\" is given twice"},
    {"{" T("a", "F32", "[]", "[0,4]") "," T("a", "F32", "[]", "[4,8]") "}", 8,
     "the name \"a\" is given twice"},
    {"{" T("a", "F16", "[2]", "[0,4]") "}", 4, "dtype \"F16\" is not known"},
    {"{" T("a", "f32", "[1]", "[0,4]") "}", 4, "dtype \"f32\" is not known"},
    {"{\"a\":{\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]}}", 4, "dtype is not a string"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "key \"shape\" is missing"},
    {"{\"a\":{\"DType\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "unknown key \"DType\""},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"shape\":[],\"data_offsets\":[0,4]}}", 4,
     "key \"shape\" is given twice"},
    {"{" T("a", "F32", "{}", "[0,4]") "}", 4, "shape is not a list"},
    {"{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "shape[0] is -1; expected a whole number"},
    {"{" T("a", "F32", "[1,0.5]", "[0,4]") "}", 4, "shape[1] is 0.5; expected a whole number"},
    {"{" T("a", "F32", "[\"1\"]", "[0,4]") "}", 4, "shape[0] is not a number"},
    {"{" T("a", "F32", "[1e300]", "[0,4]") "}", 4, "shape[0] is 1.0000000000000001e+300"},
    {"{" T("a", "F32", "[9007199254740993]", "[0,4]") "}", 4, "shape[0] is 9007199254740992"},
    {"{" T("a", "F32", "[4294967296,4294967296]", "[0,4]") "}", 4, "more elements than can be"},
    {"{" T("a", "F64", "[2305843009213693952,8]", "[0,4]") "}", 4, "expected a whole number"},
    {"{" T("a", "F64", "[4503599627370496,1024]", "[0,0]") "}", 0, "do not fill 0 bytes"},
    {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "more than 8 dimensions"},
    {"{" T("a", "F32", "[1]", "[0,4,8]") "}", 8, "not a list of two numbers"},
    {"{" T("a", "F32", "[1]", "4") "}", 4, "not a list of two numbers"},
    {"{" T("a", "F32", "[1]", "[-4,0]") "}", 4, "data_offsets[0] is -4"},
    {"{" T("a", "F32", "[1]", "[0,4.5]") "}", 4, "data_offsets[1] is 4.5"},
    {"{" T("a", "F32", "[1]", "[4,0]") "}", 4, "end before they begin"},
    {"{" T("a", "F32", "[2]", "[0,8]") "}", 7, "beyond the 7 bytes of data"},
    {"{" T("a", "F32", "[2]", "[0,4]") "}", 4, "2 elements of F32 do not fill 4 bytes"},
    {"{" T("a", "F64", "[1]", "[0,4]") "}", 4, "1 elements of F64 do not fill 4 bytes"},
    {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[1]", "[4,8]") "}", 8,
     "\"b\": overlaps tensor \"a\""},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4,
     "\"b\": overlaps tensor \"a\""},
    {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", 12,
     "\"b\": a gap of 4 bytes"},
    {"{" T("a", "F32", "[1]", "[4,8]") "}", 8, "\"a\": a gap of 4 bytes"},
    {"{" T("a", "F32", "[1]", "[0,4]") "}", 6, "the last 2 bytes of data belong to no tensor"},
    {"{}", 1, "the last 1 bytes of data belong to no tensor"},
};

static void bad_headers_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        const char *header = bad_headers[i].header;
        struct safetensors s;
        struct err e = {0};
        assert_int_equal(parse(header, strlen(header), bad_headers[i].data, &s, &e), ERR_FORMAT);
        assert_string_equal(e.where, "name");
        if (strstr(e.msg, bad_headers[i].message) == NULL)
            fail_msg("%s gives \"%s\" instead of \"%s\"", header, e.msg, bad_headers[i].message);
        assert_true(s.item == NULL && s.bytes == NULL && s.count == 0);
    }
}

static void refused(const char *bytes, size_t size, const char *message)
{
    struct safetensors s;
    struct err e = {0};
    char *copy = memory_alloc(size, 1, NULL);
    memcpy(copy, bytes, size);
    assert_int_equal(safetensors_parse("name", copy, size, &s, &e), ERR_FORMAT);
    if (strstr(e.msg, message) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", e.msg, message);
}

static void bad_lengths_are_refused(void **state)
{
    refused("", 0, "0 bytes are too short");
    refused("\2\0\0\0\0\0\0", 7, "7 bytes are too short");
    refused("\3\0\0\0\0\0\0\0{}", 10, "length 3 reaches beyond the end");
    refused("\1\xe1\xf5\5\0\0\0\0{}", 10, "not a safetensors file: a header length 100000001 is");
    refused("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "length 18446744073709551615 is above");
    refused("\2\0\0\0\0\0\0\0{\0", 10, "control character at byte 9");
}

static void hostile_sizes_are_refused(void **state)
{
    struct text header = {0};
    struct safetensors s;
    struct err e = {0};
    text_append(&header, "{\"a\":[");
    for (int i = 0; i < 2100000; i++)
        text_append(&header, "1,");
    text_append(&header, "1]}");
    assert_int_equal(parse(header.data, header.length, 0, &s, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "too many values"));

    text_clear(&header);
    text_append(&header, "{");
    for (int i = 0; i <= SAFETENSORS_COUNT_MAX; i++)
        text_append_format(&header, "%s\"%d\":1", i > 0 ? "," : "", i);
    text_append(&header, "}");
    e = (struct err){0};
    assert_int_equal(parse(header.data, header.length, 0, &s, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "100001 tensors; at most 100000"));

    for (int longer = 0; longer < 2; longer++) {
        text_clear(&header);
        text_append(&header, "{\"");
        for (int i = 0; i < SAFETENSORS_NAME_MAX - 1 + longer; i++)
            text_append(&header, "n");
        text_append(&header, "\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}");
        e = (struct err){0};
        int rc = parse(header.data, header.length, 4, &s, &e);
        assert_int_equal(rc, longer ? ERR_FORMAT : 0);
        assert_true(!longer || strstr(e.msg, "the name is longer than 255 bytes") != NULL);
        safetensors_close(&s);
    }
    text_close(&header);
}

/* Every beginning of a good file is refused; every change of one byte is refused or still a valid
 * file, and never more (the sanitizers watch). */
static void damaged_files_do_no_harm(void **state)
{
    static const char header[] =
        "{" T("a", "F32", "[2,1]", "[0,8]") "," T("b", "I64", "[1]", "[8,16]") "}";
    enum { DATA = 16, SIZE = 8 + sizeof header - 1 + DATA };
    char bytes[SIZE] = {(char)(sizeof header - 1)};
    memcpy(bytes + 8, header, sizeof header - 1);
    for (size_t size = 0; size < SIZE; size++)
        refused(bytes, size, "");
    int accepted = 0, rejected = 0;
    for (size_t at = 0; at < SIZE; at++)
        for (int bit = 0; bit < 8; bit++) {
            struct safetensors s;
            char *copy = memory_alloc(SIZE, 1, NULL);
            memcpy(copy, bytes, SIZE);
            copy[at] = (char)(copy[at] ^ 1 << bit);
            if (safetensors_parse("name", copy, SIZE, &s, NULL) != 0) {
                rejected++;
                continue;
            }
            accepted++;
            size_t total = 0;
            for (int i = 0; i < s.count; i++)
                total += s.item[i].count * safetensors_type_size(s.item[i].type);
            assert_int_equal(total, DATA);
            safetensors_close(&s);
        }
    assert_true(accepted >= 8 * DATA && rejected > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(headers_are_padded),
        cmocka_unit_test(good_headers_are_read),
        cmocka_unit_test(data_is_aligned),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(bad_lengths_are_refused),
        cmocka_unit_test(hostile_sizes_are_refused),
        cmocka_unit_test(damaged_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
