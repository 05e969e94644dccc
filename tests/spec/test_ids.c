/* Cells keep their ids.  ids/ids.tsv holds a spread of specs, every key at its default and at others,
 * with the ids that the program gave them when each line was added: results lie in folders named so,
 * and a line that changes makes everybody train anew.  `test_ids FILE` prints FILE with the ids that
 * this program gives, to add lines; those that are there stay. */
#include "spec/help_spec.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

enum { LINE_BYTES = 1024, SHORT = 17 };

/* The first cell's id, and a digest of all cells' ids, groups and pairs. */
static void ids_of(const char *yaml, char first[SHORT], char all[SHORT])
{
    struct text t = {0};
    char digits[HASH_TEXT];
    struct spec *s = spec_of(yaml, NULL);
    for (int k = 0; k < spec_cells(s); k++) {
        const struct cell *c = spec_cell(s, k);
        text_append_format(&t, "%s %s %s\n", c->id, c->group, c->pair);
    }
    hash_text(digits, t.data, t.length);
    snprintf(first, SHORT, "%s", spec_cell(s, 0)->id);
    snprintf(all, SHORT, "%.16s", digits);
    text_close(&t);
    spec_close(s);
}

static void cells_keep_their_ids(void **state)
{
    (void)state;
    char line[LINE_BYTES], first[SHORT], all[SHORT];
    int lines = 0, wrong = 0;
    FILE *f = fopen("tests/spec/ids/ids.tsv", "r");
    assert_non_null(f);
    for (; fgets(line, sizeof line, f); lines++) {
        char *id = strtok(line, "\t"), *digest = strtok(NULL, "\t"), *yaml = strtok(NULL, "\n");
        assert_non_null(yaml);
        ids_of(yaml, first, all);
        if (strcmp(id, first) != 0 || strcmp(digest, all) != 0) {
            print_error("%s %s, was %s %s: %s\n", first, all, id, digest, yaml);
            wrong++;
        }
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(lines > 200);
}

static int print_ids(const char *path)
{
    char line[LINE_BYTES], first[SHORT], all[SHORT];
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        char *tab = strrchr(line, '\t'), *yaml = tab ? tab + 1 : line;
        yaml[strcspn(yaml, "\n")] = 0;
        ids_of(yaml, first, all);
        printf("%s\t%s\t%s\n", first, all, yaml);
    }
    return f ? fclose(f) : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cells_keep_their_ids)};
    return argc > 1 ? print_ids(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
