/* Graphs from files: what is read, and what is refused, with its line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/named_file.h"
#include "space/help_graph.h"
#include "help_temporary.h"

enum { PATH = 256 };

/* Names a file of this content in the configuration; the caller removes *path.  Not by file_write,
 * whose fsync would be most of a test with thousands of files. */
static void name_file(struct space_config *c, const char *content, char path[PATH])
{
    struct err e = {0};
    help_temporary(path, PATH, "graph");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_not_equal(fputs(content, f), EOF);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(named_file_resolve(c->kind.text[0].text, OPTION_TEXT_MAX, "", path, &e), 0);
}

static void test_file(void **state)
{
    char path[PATH];
    struct err e = {0};
    struct arena a;
    struct space_config c = graph_config("tree", 4);
    name_file(&c,
              "# written by hand\r\n0 1\n\n2\t1 # a path of three\n0 1\n"
              "graph 5\n  3 4\ngraph 1\ngraph 2\n1 0",
              path);
    assert_int_equal(space_finish(&c, &e), 0);
    assert_int_equal(c.length, 5);
    void *from = NULL;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    assert_int_equal(space_of(&c)->open(&c, &a, &from, &e), 0);
    int seen[6] = {0};
    for (uint64_t k = 0; k < 400; k++) {
        struct layout l;
        graph_draw(&c, from, k, &a, &l);
        static const int edges[6] = {0, 0, 1, 2, 0, 1};
        assert_int_equal(graph_edges(&l), edges[l.n]);
        graph_check(&l, 4);
        seen[l.n]++;
    }
    for (int n = 1; n <= 5; n++) /* 100 +- 5 standard deviations */
        assert_in_range(seen[n], n == 4 ? 0 : 55, n == 4 ? 0 : 145);
    arena_close(&a);
    remove(path);
}

/* The message names the line. */
static void test_bad_files(void **state)
{
    static const struct {
        const char *content;
        int line;
    } cases[] = {
        {"", 1},           {"# nothing\n\n", 3}, {"0 1\n1 1\n", 2},  {"0 1\n1\n", 2},
        {"0 1 2\n", 1},    {"0 -1\n", 1},        {"0 x\n", 1},       {"0 1.5\n", 1},
        {"0 1024\n", 1},   {"graph\n", 1},       {"graph 0\n", 1},   {"graph 1025\n", 1},
        {"graph 3\n0 3", 2}, {"graph 3 4\n", 1}, {"graph 2\n0 1\n\nGraph 3\n", 4},
        {"0 99999999999999999999\n", 1},         {"0,1\n", 1},       {"0 +1\n", 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char path[PATH], place[PATH + 32];
        struct err e = {0};
        struct space_config c = graph_config("tree", 4);
        name_file(&c, cases[k].content, path);
        assert_int_equal(space_finish(&c, &e), ERR_USAGE);
        assert_string_equal(e.where, "space.file");
        snprintf(place, sizeof place, "%s:%d: ", path, cases[k].line);
        if (strncmp(e.msg, place, strlen(place)) != 0 || !strstr(e.msg, "expected"))
            fail_msg("'%s': %s", cases[k].content, e.msg);
        remove(path);
    }
    char path[PATH];
    struct err e = {0};
    struct space_config c = graph_config("tree", 4);
    name_file(&c, "0 1\n", path);
    remove(path);
    assert_int_equal(space_finish(&c, &e), ERR_USAGE); /* gone since it was named */
    assert_string_equal(e.where, "space.file");
}

/* The mark of an editor is nothing; a file that counts from 1 is read, with a word of warning. */
static void test_marks_and_doubts(void **state)
{
    static const struct {
        const char *content;
        bool doubt;
    } cases[] = {{"\xef\xbb\xbf" "0 1\n1 2\n", false}, {"1 2\n2 3\n", true},
                 {"graph 4\n1 2\ngraph 3\n1 2\n", true}, {"1 2\ngraph 2\n0 1\n", false},
                 {"graph 3\n", false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char path[PATH];
        struct err e = {0};
        struct text words = {0};
        struct space_config c = graph_config("tree", 4);
        name_file(&c, cases[k].content, path);
        assert_int_equal(space_finish(&c, &e), 0);
        const char *key = space_of(&c)->doubt(&c, &words);
        assert_int_equal(key != NULL, cases[k].doubt);
        assert_true(!key || strstr(words.data, "node 0 has no edge"));
        text_close(&words);
        remove(path);
    }
    struct text none = {0};
    struct space_config c = graph_config("tree", 4);
    assert_null(space_of(&c)->doubt(&c, &none));
}

/* Empty lines beyond what a file may hold. */
static void test_large_file(void **state)
{
    enum { BYTES = (1 << 23) + 1 };
    char path[PATH], *bytes = malloc(BYTES);
    struct err e = {0};
    struct space_config c = graph_config("tree", 4);
    assert_non_null(bytes);
    memset(bytes, '\n', BYTES);
    memcpy(bytes, "0 1", 3);
    name_file(&c, "0 1\n", path);
    for (size_t count = BYTES - 1; count <= BYTES; count++) {
        assert_int_equal(file_write(path, bytes, count, &e), 0);
        assert_int_equal(named_file_resolve(c.kind.text[0].text, OPTION_TEXT_MAX, "", path, &e), 0);
        assert_int_equal(space_finish(&c, &e), count < BYTES ? 0 : ERR_USAGE);
    }
    assert_non_null(strstr(e.msg, "8388609 bytes"));
    free(bytes);
    remove(path);
}

static void test_nul_byte(void **state)
{
    char path[PATH];
    struct err e = {0};
    struct space_config c = graph_config("tree", 4);
    name_file(&c, "0 1\n", path);
    assert_int_equal(file_write(path, "0 1\0 2\n", 7, &e), 0);
    assert_int_equal(named_file_resolve(c.kind.text[0].text, OPTION_TEXT_MAX, "", path, &e), 0);
    assert_int_equal(space_finish(&c, &e), ERR_USAGE);
    assert_non_null(strstr(e.msg, "NUL"));
    remove(path);
}

/* Texts of the words that a file is made of, in any order: read whole, or refused with a line. */
static void test_random_texts(void **state)
{
    static const char *const word[] = {"graph", " ", "\n", "0", "1", "12", "1023", "1024", "-", "#",
                                       "\t", "graph 3\n", "0 1\n", "\r\n", "x"};
    char path[PATH];
    int accepted = 0;
    for (uint64_t k = 0; k < 3000; k++) {
        struct stream random;
        struct err e = {0};
        struct space_config c = graph_config("tree", 4);
        char text[256] = "";
        stream_open(&random, 3, "texts", k);
        for (uint64_t left = stream_below(&random, 12); left > 0; left--)
            strcat(text, word[stream_below(&random, sizeof word / sizeof *word)]);
        name_file(&c, text, path);
        int code = space_finish(&c, &e);
        accepted += code == 0;
        if (code && (code != ERR_USAGE || !strstr(e.msg, "; expected")))
            fail_msg("'%s': %s", text, e.msg);
        if (code)
            continue;
        struct arena a;
        struct layout l;
        void *from = NULL;
        assert_int_equal(arena_open(&a, 0, NULL), 0);
        assert_int_equal(space_of(&c)->open(&c, &a, &from, NULL), 0);
        graph_draw(&c, from, k, &a, &l);
        assert_in_range(l.n, 1, c.length);
        arena_close(&a);
    }
    assert_in_range(accepted, 100, 2900);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_marks_and_doubts),
        cmocka_unit_test(test_large_file),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
