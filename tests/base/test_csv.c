/* Tables: what is written is read back; what is no table is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/help_folder.h"
#include "base/random.h"

static void fields_are_quoted_where_they_must(void **state)
{
    struct text t = {0};
    csv_field(&t, "plain text");
    csv_field(&t, "a,b");
    csv_field(&t, "say \"hi\"");
    csv_field(&t, "two\nlines");
    csv_field(&t, "");
    csv_field_double(&t, NAN, 17);
    csv_field_double(&t, 0.1f, 9);
    csv_field_int(&t, -5);
    csv_end_row(&t);
    csv_field(&t, "");
    csv_field(&t, "x");
    assert_string_equal(t.data, "plain text,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,,"
                                "0.100000001,-5\n\"\",x");
    text_close(&t);
}

/* Random fields over the characters that matter. */
static void round_trip(void **state)
{
    enum { ROWS = 200, COLUMNS = 5, LENGTH = 6 };
    static char field[ROWS][COLUMNS][LENGTH + 1];
    static const char alphabet[] = "a,\"\r\n ";
    struct stream s;
    struct text t = {0};
    struct csv c;
    stream_open(&s, 1, "csv", 0);
    for (int r = 0; r < ROWS; r++) {
        for (int k = 0; k < COLUMNS; k++) {
            uint64_t length = stream_below(&s, LENGTH + 1);
            for (uint64_t i = 0; i < length; i++)
                field[r][k][i] = alphabet[stream_below(&s, sizeof alphabet - 1)];
            csv_field(&t, field[r][k]);
        }
        csv_end_row(&t);
    }
    assert_int_equal(text_check(&t, NULL), 0);
    for (size_t cut = 0; cut < 2; cut++) { /* with and without the last line's end */
        assert_int_equal(csv_parse("t", t.data, t.length - cut, &c, NULL), 0);
        assert_int_equal(c.rows, ROWS);
        assert_int_equal(c.columns, COLUMNS);
        for (int r = 0; r < ROWS; r++)
            for (int k = 0; k < COLUMNS; k++)
                assert_string_equal(c.row[r][k], field[r][k]);
        csv_close(&c);
    }
    text_close(&t);
}

static void one_empty_column_survives(void **state)
{
    struct text t = {0};
    struct csv c;
    csv_field(&t, "name");
    csv_end_row(&t);
    csv_field(&t, "");
    csv_end_row(&t);
    assert_int_equal(csv_parse("t", t.data, t.length, &c, NULL), 0);
    assert_int_equal(c.rows, 2);
    assert_string_equal(c.row[1][0], "");
    csv_close(&c);
    text_close(&t);
}

static void other_writers_are_read(void **state)
{
    static const char table[] = "\xEF\xBB\xBFx,\"y\"\r\n1,\"a\r\nb\"\r\n,\r\n\"3\",c d";
    struct csv c;
    assert_int_equal(csv_parse("t", table, sizeof table - 1, &c, NULL), 0);
    assert_int_equal(c.rows, 4);
    assert_int_equal(csv_column(&c, "y"), 1);
    assert_int_equal(csv_column(&c, "z"), -1);
    assert_string_equal(c.row[0][0], "x");
    assert_string_equal(c.row[1][1], "a\r\nb");
    assert_string_equal(c.row[2][0], "");
    assert_string_equal(c.row[2][1], "");
    assert_string_equal(c.row[3][0], "3");
    assert_string_equal(c.row[3][1], "c d");
    csv_close(&c);
}

static void bad_tables_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *table, *message;
    } bad[] = {
        {"", "the table is empty"},
        {"a,b\n1\n", "line 2: 1 fields; the header has 2"},
        {"a,b\n1,\"x\ny\"\n1,2,3\n", "line 4: 3 fields; the header has 2"},
        {"a,b\n1,\"x\n", "line 2: a quoted field does not end"},
        {"a,b\n1,\"x\"y\n", "line 2: text behind the closing quote"},
        {"a,b\n1,x\"y\n", "line 2: a quote inside a field"},
        {"a,b\n1,2\n\n", "line 3: 1 fields"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct csv c;
        struct err e = {0};
        assert_int_equal(csv_parse("name", bad[i].table, strlen(bad[i].table), &c, &e), ERR_FORMAT);
        assert_string_equal(e.where, "name");
        if (strstr(e.msg, bad[i].message) != e.msg)
            fail_msg("\"%s\" instead of \"%s\"", e.msg, bad[i].message);
        assert_true(c.rows == 0 && c.row == NULL && c.bytes == NULL);
    }
    struct csv c;
    assert_int_equal(csv_parse("t", "a\0b\n", 4, &c, NULL), ERR_FORMAT);
}

static void files(void **state)
{
    char folder[FOLDER_MAX], path[FOLDER_MAX + 8];
    struct csv c;
    help_folder_make(folder);
    snprintf(path, sizeof path, "%s/t.csv", folder);
    assert_int_equal(csv_read(path, &c, NULL), ERR_IO);
    assert_int_equal(file_write(path, "a,b\n1,2\n", 8, NULL), 0);
    assert_int_equal(csv_read(path, &c, NULL), 0);
    assert_string_equal(c.row[1][1], "2");
    csv_close(&c);
    help_folder_delete(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted_where_they_must),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(one_empty_column_survives),
        cmocka_unit_test(other_writers_are_read),
        cmocka_unit_test(bad_tables_are_refused_with_their_line),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
