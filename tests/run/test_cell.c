/* One cell in this process: a stopped and resumed cell writes the same bytes as one that ran
 * through, and a checkpoint that is not exactly what was written is never taken up. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "run/help_run.h"
#include "run/history.h"

static const char small_spec[] =
    "space: {length: 6, channels: 2, inputs: {identical: 0.4, palindrome: 0.2}}\n"
    "target: gain\n"
    "model: {layers: 1, heads: 2, width: 8, ffn: 12}\n"
    "train: {steps: 40, batch: 8, warmup: 5, lr: 0.01}\n"
    "evaluate: {samples: 40, every: 7, lengths: [3, 6], adversary: {starts: 5, steps: 4}}\n"
    "seeds: [1]\n";

struct watch {
    int64_t stop_at; /* step; -1: never */
    volatile int stop;
    int64_t first;   /* step of the first report; -1: none yet */
    int notes;
    char note[1024];
};

static void hear_progress(void *context, const struct cell_progress *p)
{
    struct watch *w = context;
    if (w->first < 0)
        w->first = p->step;
    if (w->stop_at >= 0 && p->step >= w->stop_at)
        w->stop = 2;
}

static void hear_note(void *context, const char *text)
{
    struct watch *w = context;
    w->notes++;
    snprintf(w->note, sizeof w->note, "%s", text);
}

/* Executes until the cell ends or the first report at or after step stop_at. */
static int execute(const struct cell *c, const char *folder, int64_t stop_at, struct watch *w)
{
    struct err e = {0};
    bool diverged;
    *w = (struct watch){.stop_at = stop_at, .first = -1};
    struct cell_run r = {.cell = c, .folder = folder, .experiment = "test", .threads = 1,
                         .checkpoint_seconds = 1e9, .stop = &w->stop, .progress = hear_progress,
                         .note = hear_note, .context = w};
    int code = cell_execute(&r, &diverged, &e);
    if (code && code != ERR_INTERRUPTED)
        fail_msg("%s: %s", e.where, e.msg);
    return code;
}

struct fixture {
    struct spec *spec;
    const struct cell *cell;
    char root[HELP_PATH], reference[HELP_PATH], folder[HELP_PATH];
};

/* A finished cell in f->reference and an empty folder in f->folder. */
static void fixture_open(struct fixture *f, const char *text)
{
    struct watch w;
    f->spec = help_spec(text);
    f->cell = spec_cell(f->spec, 0);
    help_folder(f->root);
    snprintf(f->reference, HELP_PATH, "%.900s/reference", f->root);
    snprintf(f->folder, HELP_PATH, "%.900s/cell", f->root);
    assert_int_equal(file_make_folder(f->reference, NULL), 0);
    assert_int_equal(file_make_folder(f->folder, NULL), 0);
    assert_false(cell_finished(f->cell, f->reference));
    assert_int_equal(execute(f->cell, f->reference, -1, &w), 0);
    assert_int_equal(w.first, 0);
    assert_int_equal(w.notes, 0);
    assert_true(cell_finished(f->cell, f->reference));
}

static void fixture_close(struct fixture *f)
{
    help_remove(f->root);
    spec_close(f->spec);
}

static bool has(const char *folder, const char *name)
{
    char path[HELP_PATH];
    assert_int_equal(file_join(path, sizeof path, folder, name, NULL), 0);
    return file_exists(path);
}

/* ---- resuming ---------------------------------------------------------------------------------*/

static void resumed_cell_writes_the_same_bytes(void **unused)
{
    struct fixture f;
    struct watch w;
    fixture_open(&f, small_spec);
    /* Stops at 0, 7, 21, 40 (reports come with the points of the curve), resumes each time. */
    static const int64_t stop[] = {0, 7, 20, 40}, start[] = {0, 0, 7, 21};
    for (size_t k = 0; k < sizeof stop / sizeof *stop; k++) {
        assert_int_equal(execute(f.cell, f.folder, stop[k], &w), ERR_INTERRUPTED);
        assert_int_equal(w.notes, 0);
        assert_int_equal(w.first, start[k]); /* where it goes on is told at once */
        assert_true(has(f.folder, "checkpoint"));
        assert_false(has(f.folder, "row.csv"));
        assert_false(cell_finished(f.cell, f.folder));
    }
    assert_int_equal(execute(f.cell, f.folder, -1, &w), 0);
    assert_false(has(f.folder, "checkpoint"));
    help_same_cell(f.reference, f.folder);
    fixture_close(&f);
}

/* The comparison above can fail: another seed's files are not the same. */
static void another_seed_writes_other_bytes(void **unused)
{
    struct fixture f, other;
    size_t count[2];
    fixture_open(&f, small_spec);
    char text[sizeof small_spec];
    memcpy(text, small_spec, sizeof text);
    strstr(text, "[1]")[1] = '2';
    fixture_open(&other, text);
    static const char *const name[] = {"curve.csv", "position.csv", "table.csv",
                                       "weights.safetensors"};
    for (size_t k = 0; k < sizeof name / sizeof *name; k++) {
        char *a = help_read(f.reference, name[k], &count[0]);
        char *b = help_read(other.reference, name[k], &count[1]);
        assert_true(count[0] != count[1] || memcmp(a, b, count[0]) != 0);
        memory_free(a);
        memory_free(b);
    }
    fixture_close(&f);
    fixture_close(&other);
}

/* The stamp that cell_execute put into the checkpoint: its size as 8 bytes, then the text. */
static void read_stamp(const struct fixture *f, char *out, size_t size)
{
    size_t count;
    uint64_t length;
    char *bytes = help_read(f->folder, "checkpoint", &count), *at = NULL;
    for (size_t k = 8; k + 21 < count && !at; k++)
        if (!memcmp(bytes + k, "cell ", 5) && !memcmp(bytes + k + 5, f->cell->id, 16))
            at = bytes + k;
    assert_non_null(at);
    memcpy(&length, at - sizeof length, sizeof length);
    assert_true(length < size);
    memcpy(out, at, length);
    out[length] = '\0';
    memory_free(bytes);
}

/* A cell whose checkpoint says that 1000 seconds went before reports more than that. */
static void seconds_include_earlier_processes(void **unused)
{
    struct fixture f;
    struct watch w;
    struct history h;
    struct network x;
    struct pool *pool = NULL;
    struct csv csv;
    char path[HELP_PATH], stamp[512];
    fixture_open(&f, small_spec);
    assert_int_equal(execute(f.cell, f.folder, 7, &w), ERR_INTERRUPTED);
    read_stamp(&f, stamp, sizeof stamp);
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    assert_int_equal(network_open(&x, &f.cell->task, pool, NULL), 0);
    history_open(&h);
    assert_int_equal(file_join(path, sizeof path, f.folder, "checkpoint", NULL), 0);
    assert_int_equal(checkpoint_read(path, 1 << 24, &x, stamp, &h, NULL), 0);
    assert_int_equal(checkpoint_write(path, &x, stamp, &h, 1000, NULL), 0);
    history_close(&h);
    network_close(&x);
    pool_close(pool);

    assert_int_equal(execute(f.cell, f.folder, -1, &w), 0);
    assert_int_equal(w.notes, 0);
    assert_int_equal(file_join(path, sizeof path, f.folder, "row.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    double seconds, rate;
    assert_true(text_to_double(csv.row[1][csv_column(&csv, "seconds")], &seconds));
    assert_true(text_to_double(csv.row[1][csv_column(&csv, "tokens_per_second")], &rate));
    assert_true(seconds > 1000 && seconds < 1100);
    assert_true(rate > 40 * 8 * 6 / 100.0); /* of the time in steps alone */
    csv_close(&csv);
    help_same_cell(f.reference, f.folder);
    fixture_close(&f);
}

/* A history of 70 MB, as a curve of nearly two million points has, is taken up again. */
static void long_history_is_taken_up(void **unused)
{
    enum { POINTS = 1800000 };
    struct fixture f;
    struct watch w;
    struct history h;
    struct network x;
    struct pool *pool = NULL;
    char path[HELP_PATH], stamp[512], text[sizeof small_spec + 16];
    const char *steps = strstr(small_spec, "40,"), *every = strstr(small_spec, "every: 7");
    snprintf(text, sizeof text, "%.*s2000000%.*severy: 1%s", (int)(steps - small_spec), small_spec,
             (int)(every - steps - 2), steps + 2, every + 8);
    f.spec = help_spec(text);
    f.cell = spec_cell(f.spec, 0);
    help_folder(f.folder);
    assert_int_equal(execute(f.cell, f.folder, 0, &w), ERR_INTERRUPTED);
    read_stamp(&f, stamp, sizeof stamp);
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    assert_int_equal(network_open(&x, &f.cell->task, pool, NULL), 0);
    history_open(&h);
    for (int64_t k = 0; k < POINTS; k++)
        assert_int_equal(history_add(&h, k, 0.5, NULL), 0);
    assert_int_equal(file_join(path, sizeof path, f.folder, "checkpoint", NULL), 0);
    assert_int_equal(checkpoint_write(path, &x, stamp, &h, 0, NULL), 0);
    history_close(&h);
    network_close(&x);
    pool_close(pool);
    struct err e = {0};
    bool diverged;
    w = (struct watch){.stop_at = -1, .first = -1, .stop = 2};
    struct cell_run r = {.cell = f.cell, .folder = f.folder, .experiment = "test", .threads = 1,
                         .checkpoint_seconds = 1e9, .stop = &w.stop, .note = hear_note,
                         .context = &w};
    assert_int_equal(cell_execute(&r, &diverged, &e), ERR_INTERRUPTED);
    assert_string_equal(w.note, "");
    help_remove(f.folder);
    spec_close(f.spec);
}

/* ---- damage -----------------------------------------------------------------------------------*/

/* Runs the cell over a damaged checkpoint: it must say so, start at step 0 and end the same. */
static void damaged_run(const struct fixture *f, const char *bytes, size_t count, const char *says)
{
    struct watch w;
    help_write(f->folder, "checkpoint", bytes, count);
    assert_int_equal(execute(f->cell, f->folder, -1, &w), 0);
    assert_int_equal(w.notes, 1);
    assert_non_null(strstr(w.note, "starts again"));
    assert_non_null(strstr(w.note, says));
    assert_int_equal(w.first, 0);
    help_same_cell(f->reference, f->folder);
    assert_int_equal(cell_forget(f->folder, NULL), 0);
}

static void damaged_checkpoint_restarts_the_cell(void **unused)
{
    struct fixture f;
    struct watch w;
    size_t count;
    fixture_open(&f, small_spec);
    assert_int_equal(execute(f.cell, f.folder, 14, &w), ERR_INTERRUPTED);
    char *good = help_read(f.folder, "checkpoint", &count);
    char *bad = memory_alloc(count, 1, NULL);
    assert_true(count > 1000);
    const size_t flip[] = {0, 9, 20, 40, count / 2, count - 40, count - 1};
    for (size_t k = 0; k < sizeof flip / sizeof *flip; k++) {
        memcpy(bad, good, count);
        bad[flip[k]] ^= 0x10;
        damaged_run(&f, bad, count, "checkpoint");
    }
    damaged_run(&f, good, count - 1, "checksum");
    damaged_run(&f, good, 0, "cut off");
    /* And the good one is taken up: the damage was the reason. */
    help_write(f.folder, "checkpoint", good, count);
    assert_int_equal(execute(f.cell, f.folder, -1, &w), 0);
    assert_int_equal(w.notes, 0);
    assert_true(w.first > 0);
    help_same_cell(f.reference, f.folder);
    memory_free(good);
    memory_free(bad);
    fixture_close(&f);
}

/* Every 97th byte flipped, every 97th length: read as good by nobody. */
static void no_flipped_byte_is_read_as_good(void **unused)
{
    struct fixture f;
    struct history h;
    struct network x;
    struct pool *pool = NULL;
    size_t count;
    char path[HELP_PATH];
    fixture_open(&f, small_spec);
    assert_int_equal(pool_open(&pool, 1, NULL), 0);
    assert_int_equal(network_open(&x, &f.cell->task, pool, NULL), 0);
    history_open(&h);
    assert_int_equal(history_add(&h, 0, 0.5, NULL), 0);
    assert_int_equal(file_join(path, sizeof path, f.root, "checkpoint", NULL), 0);
    assert_int_equal(checkpoint_write(path, &x, "stamp", &h, 3, NULL), 0);
    char *bytes = help_read(f.root, "checkpoint", &count);
    for (size_t k = 0; k < count; k += 97) {
        bytes[k] ^= 1;
        help_write(f.root, "flipped", bytes, count);
        bytes[k] ^= 1;
        help_write(f.root, "cut", bytes, k);
        static const char *const name[] = {"flipped", "cut"};
        for (int n = 0; n < 2; n++) {
            struct err e = {0};
            assert_int_equal(file_join(path, sizeof path, f.root, name[n], NULL), 0);
            assert_int_equal(checkpoint_read(path, 1 << 24, &x, "stamp", &h, &e), ERR_FORMAT);
            assert_true(e.msg[0]);
        }
    }
    assert_int_equal(file_join(path, sizeof path, f.root, "checkpoint", NULL), 0);
    assert_int_equal(checkpoint_read(path, 1 << 24, &x, "other", &h, NULL), ERR_FORMAT);
    assert_int_equal(checkpoint_read(path, count - 1, &x, "stamp", &h, NULL), ERR_FORMAT);
    assert_int_equal(checkpoint_read(path, 1 << 24, &x, "stamp", &h, NULL), 0);
    assert_int_equal(h.points, 1);
    /* Whole in every byte, but of a step that this training never has. */
    const int64_t steps[] = {-1, INT64_MIN, f.cell->task.train.steps + 1, INT64_MAX, 0};
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        struct err e = {0};
        memcpy(bytes + 16, &steps[k], 8); /* after magic, version and size of a real */
        hash_bytes((unsigned char *)bytes + count - 32, bytes, count - 32);
        help_write(f.root, "step", bytes, count);
        assert_int_equal(file_join(path, sizeof path, f.root, "step", NULL), 0);
        assert_int_equal(checkpoint_read(path, 1 << 24, &x, "stamp", &h, &e),
                         steps[k] == 0 ? 0 : ERR_FORMAT);
    }
    memory_free(bytes);
    history_close(&h);
    network_close(&x);
    pool_close(pool);
    fixture_close(&f);
}

/* A checkpoint of one cell in the folder of another that has the same sizes. */
static void checkpoint_of_another_cell_is_refused(void **unused)
{
    struct fixture f;
    struct watch w;
    size_t count;
    fixture_open(&f, small_spec);
    struct spec *s = help_spec(
        "space: {length: 6, channels: 2, inputs: {identical: 0.4, palindrome: 0.2}}\n"
        "target: gain\nmodel: {layers: 1, heads: 2, width: 8, ffn: 12}\n"
        "train: {steps: 40, batch: 8, warmup: 5, lr: 0.02}\n"
        "evaluate: {samples: 40, every: 7, lengths: [3, 6]}\nseeds: [1]\n");
    char other[HELP_PATH];
    help_cell_folder(f.root, spec_cell(s, 0), other);
    assert_int_equal(execute(spec_cell(s, 0), other, 14, &w), ERR_INTERRUPTED);
    char *bytes = help_read(other, "checkpoint", &count);
    damaged_run(&f, bytes, count, f.cell->id);
    memory_free(bytes);
    spec_close(s);
    fixture_close(&f);
}

/* A killed worker's temporary file goes when the next holder of the lock begins. */
static void leftovers_are_swept(void **unused)
{
    struct fixture f;
    struct watch w;
    fixture_open(&f, small_spec);
    help_write(f.folder, ".tmp-urpe-1-0", "half", 4);
    assert_int_equal(execute(f.cell, f.folder, -1, &w), 0);
    assert_false(has(f.folder, ".tmp-urpe-1-0"));
    help_same_cell(f.reference, f.folder);
    fixture_close(&f);
}

/* ---- a failed row ----------------------------------------------------------------------------*/

static void failed_row_is_not_finished(void **unused)
{
    struct fixture f;
    struct csv csv;
    char path[HELP_PATH];
    fixture_open(&f, small_spec);
    assert_int_equal(cell_write_failed(f.cell, f.folder, NULL), 0);
    assert_false(cell_finished(f.cell, f.folder));
    assert_int_equal(file_join(path, sizeof path, f.folder, "row.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    assert_int_equal(csv.rows, 2);
    assert_string_equal(csv.row[1][csv_column(&csv, "status")], "failed");
    assert_string_equal(csv.row[1][csv_column(&csv, "verdict")], "");
    assert_string_equal(csv.row[1][csv_column(&csv, "error_rms")], "");
    csv_close(&csv);
    /* Rows of another cell do not finish this one either. */
    size_t count;
    char *rows = help_read(f.reference, "row.csv", &count);
    char *id = strstr(rows, f.cell->id);
    assert_non_null(id);
    id[0] = id[0] == 'a' ? 'b' : 'a';
    help_write(f.folder, "row.csv", rows, count);
    assert_false(cell_finished(f.cell, f.folder));
    memory_free(rows);
    fixture_close(&f);
}

/* Takes the last field off each line of a file. */
static size_t drop_column(char *rows)
{
    char *to = rows;
    for (const char *from = rows; *from;) {
        const char *end = strchr(from, '\n'), *comma = end;
        while (*comma != ',')
            comma--;
        memmove(to, from, (size_t)(comma - from));
        to += comma - from;
        *to++ = '\n';
        from = end + 1;
    }
    *to = '\0';
    return (size_t)(to - rows);
}

/* Nor does a file that a report would not take: without its last row, or with it cut off.  One of
 * an older program is done again where it lacks a column that no report fills. */
static void half_a_result_is_not_finished(void **unused)
{
    struct fixture f;
    size_t count;
    fixture_open(&f, small_spec);
    char *rows = help_read(f.reference, "row.csv", &count), *older = memory_text(rows, NULL);
    help_write(f.folder, "row.csv", rows, count);
    assert_true(cell_finished(f.cell, f.folder));
    help_write(f.folder, "row.csv", rows, count - 1);
    assert_false(cell_finished(f.cell, f.folder));
    rows[count - 1] = '\0';
    help_write(f.folder, "row.csv", rows, (size_t)(strrchr(rows, '\n') + 1 - rows));
    assert_false(cell_finished(f.cell, f.folder));
    help_write(f.folder, "row.csv", older, drop_column(older));
    assert_false(cell_finished(f.cell, f.folder));
    memory_free(rows);
    memory_free(older);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumed_cell_writes_the_same_bytes),
        cmocka_unit_test(another_seed_writes_other_bytes),
        cmocka_unit_test(seconds_include_earlier_processes),
        cmocka_unit_test(long_history_is_taken_up),
        cmocka_unit_test(damaged_checkpoint_restarts_the_cell),
        cmocka_unit_test(no_flipped_byte_is_read_as_good),
        cmocka_unit_test(checkpoint_of_another_cell_is_refused),
        cmocka_unit_test(leftovers_are_swept),
        cmocka_unit_test(failed_row_is_not_finished),
        cmocka_unit_test(half_a_result_is_not_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
