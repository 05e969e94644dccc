/* What is said that a cell's memory is, beside what the cell then took.
 *
 * This process only forks: BLAS is called by workers alone, as in the program. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/csv.h"
#include "base/file.h"
#include "run/help_process.h"
#include "run/price.h"
#include "witness/witness.h"

#define MIB (1024.0 * 1024.0)

static struct price price_of(const struct spec *s)
{
    struct price price;
    assert_int_equal(price_task(&spec_cell(s, 0)->task, &price, NULL), 0);
    return price;
}

/* The largest peak_mib of a run's rows. */
static double peak_of(const struct spec *s)
{
    char folder[HELP_PATH], path[HELP_PATH];
    struct run_counts counts;
    struct csv csv;
    double peak = 0, value;
    help_folder(folder);
    struct run_options o = help_options(folder, 1);
    o.threads = 1; /* each thread has buffers of BLAS besides */
    help_run(s, &o, &counts);
    assert_int_equal(file_join(path, sizeof path, folder, "results.csv", NULL), 0);
    assert_int_equal(csv_read(path, &csv, NULL), 0);
    for (int r = 1; r < csv.rows; r++) {
        assert_true(text_to_double(csv.row[r][csv_column(&csv, "peak_mib")], &value));
        peak = value > peak ? value : peak;
    }
    csv_close(&csv);
    help_remove(folder);
    return peak;
}

static void send_peak(void *context, int fd)
{
    struct spec *s = help_spec(context);
    double peak = peak_of(s);
    child_send(fd, &peak, sizeof peak);
}

/* In a process of its own: a worker's pages are also those that it has from its parent. */
static double peak_apart(const char *text)
{
    struct child child;
    double peak = 0;
    char *copy = strdup(text);
    assert_int_equal(child_start(&child, SIGKILL, send_peak, copy, NULL), 0);
    assert_true(child_receive(child.fd, &peak, sizeof peak));
    child_end(&child);
    free(copy);
    return peak;
}

/* Memory at other lengths, of the search, of polishing and of the witness: each is most of its
 * cell's. */
static void prices_are_what_cells_take(void **unused)
{
    static const char *const text[] = {
        "space: {length: 16, channels: 2}\ntarget: gain\nseeds: [0]\n"
        "train: {steps: 1, polish: {method: bfgs, steps: 1, samples: 40000}}\n"
        "model: {layers: 1, heads: 1, width: 4, ffn: 4}\nevaluate: {samples: 1, witness: never}\n",
        "space: {length: 256, channels: 16}\ntarget: gain\nseeds: [0]\n"
        "train: {steps: 1, batch: 1}\nmodel: {layers: 1, heads: 1, width: 8, ffn: 8}\n"
        "evaluate: {samples: 2, witness: always}\n",
        "space: {length: 16, channels: 2}\ntarget: gain\nseeds: [0]\ntrain: {steps: 2}\n"
        "model: {width: 64, ffn: 1024}\nevaluate: {samples: 1, lengths: [4096]}\n",
        "space: {length: 16, channels: 2}\ntarget: gain\nseeds: [0]\ntrain: {steps: 2}\n"
        "model: {layers: 6}\nevaluate: {samples: 32, adversary: {starts: 256, steps: 1}}\n"};
    static const char tiny[] = "space: {length: 2, channels: 1}\ntarget: gain\nseeds: [0]\n"
                               "train: {steps: 1, batch: 1}\n"
                               "model: {layers: 1, heads: 1, width: 2, ffn: 2}\n"
                               "evaluate: {samples: 1, witness: never}\n";
    enum { SPECS = sizeof text / sizeof *text };
    double base = peak_apart(tiny), peak[SPECS];
    for (int k = 0; k < SPECS; k++)
        peak[k] = peak_apart(text[k]) - base;
    for (int k = 0; k < SPECS; k++) { /* finding a witness calls BLAS: no fork from here on */
        struct spec *spec = help_spec(text[k]);
        struct price price = price_of(spec);
        bool whole;
        assert_int_equal(price_witness(&spec_cell(spec, 0)->task, INFINITY, &price, &whole, NULL), 0);
        double mib = price.bytes / MIB;
        if (!(peak[k] > 10 && mib > 0.85 * peak[k] && mib < 1.2 * peak[k]))
            fail_msg("spec %d: priced %.1f MiB, took %.1f", k, mib, peak[k]);
        spec_close(spec);
    }
}

/* With too little memory for another length a run is refused at that key, and nothing written. */
static void too_long_a_length_is_refused(void **unused)
{
    struct spec *s = help_spec("target: gain\nspace: {length: 16}\n"
                               "model: {width: 64, ffn: 8192}\n"
                               "evaluate:\n  samples: 1\n  lengths: [16384]\n");
    struct help_outcome *out = help_outcome_open();
    char root[HELP_PATH], folder[HELP_PATH];
    help_folder(root);
    snprintf(folder, sizeof folder, "%.900s/results", root);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = (rlim_t)1 << 30};
        struct run_options o = help_options(folder, 1);
        setrlimit(RLIMIT_AS, &limit);
        out->code = run_spec(s, &o, &out->counts, &out->err);
        _exit(0);
    }
    assert_true(WIFEXITED(help_wait(pid)));
    assert_int_equal(out->code, ERR_USAGE);
    assert_string_equal(out->err.where, "test:6:12");
    assert_non_null(strstr(out->err.msg, "evaluate.lengths"));
    assert_false(file_exists(folder));
    help_outcome_close(out);
    help_remove(root);
    spec_close(s);
}

/* Each part that a spec asks for adds to the price, in memory and in operations. */
static void what_is_asked_for_costs(void **unused)
{
    static const char *const more[] = {"", ", lengths: [64]", ", lengths: [64, 32]",
                                       ", lengths: [64, 32], adversary: {starts: 8, steps: 1}",
                                       ", lengths: [64, 32], adversary: {starts: 8, steps: 2}"};
    static const enum price_part part[] = {PRICE_SAMPLES, PRICE_LENGTHS, PRICE_LENGTHS, PRICE_SEARCH,
                                           PRICE_SEARCH};
    struct price before = {0};
    for (size_t k = 0; k < sizeof more / sizeof *more; k++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, "space: {length: 16}\ntarget: gain\nevaluate: {samples: 8, networks: 0%s}\n",
                 more[k]);
        struct spec *s = help_spec(yaml);
        struct price price = price_of(s);
        assert_true(price.bytes > before.bytes || k == 4); /* a step more takes no memory */
        assert_true(price.flops_of[part[k]] > before.flops_of[part[k]]);
        assert_true(price.flops_of[PRICE_TRAINING] > 0 && price.flops_of[PRICE_POLISH] == 0);
        before = price;
        spec_close(s);
    }
}

/* Looking for a witness costs pairs of positions, whatever is found; where that is more than the
 * training, nobody looks unless asked to.  A target that says what it costs is priced by that. */
static void looking_for_a_witness_costs(void **unused)
{
    static const char text[] = "target: %s\nspace: {length: %d, channels: 1}\ntrain: {steps: 0}\n"
                               "model: {layers: 1, heads: 1, width: 4, ffn: 4}\n"
                               "evaluate: {samples: 1, witness: %s}\n";
    static const struct {
        const char *target, *witness;
        int n;
        double least, most; /* FLOPs of the witness */
    } row[] = {{"sort", "auto", 64, 1e6, 1e9},    {"sort", "auto", 512, 1e9, 1e10},
               {"sort", "never", 512, 0, 0},      {"sort", "auto", 65536, 0, 0},
               {"filter", "auto", 2500, 0, 0},    {"cycles", "auto", 0, 0, 0}};
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml, text, row[k].target, row[k].n, row[k].witness);
        if (!row[k].n)
            snprintf(yaml, sizeof yaml, "target: cycles\nspace: {kind: graph, nodes: 40, p: 0.5}\n"
                                        "evaluate: {samples: 100}\n");
        struct spec *s = help_spec(yaml);
        struct price price = price_of(s);
        bool whole;
        assert_int_equal(price_witness(&spec_cell(s, 0)->task, INFINITY, &price, &whole, NULL), 0);
        assert_in_range((uintmax_t)price.flops_of[PRICE_WITNESS], (uintmax_t)row[k].least,
                        (uintmax_t)row[k].most);
        if (!row[k].n) /* 40 / 5 x 19.5^4 paths in each of 100 graphs */
            assert_true(price.flops_of[PRICE_SAMPLES] > 100 * 8.0 * 19.5 * 19.5 * 19.5 * 19.5);
        spec_close(s);
    }
    /* Who has a second does not find what takes longer, but says what looking for it takes. */
    static const int wide[][2] = {{2048, 1}, {8, 4096}}; /* positions, channels */
    for (int k = 0; k < 2; k++) {
        char yaml[512];
        double bytes, steps;
        bool whole = true;
        snprintf(yaml, sizeof yaml, "target: gain\nspace: {length: %d, channels: %d}\nevaluate: {samples: 1, "
                                    "witness: always}\n", wide[k][0], wide[k][1]);
        struct spec *s = help_spec(yaml);
        struct price price = price_of(s);
        const struct task *t = &spec_cell(s, 0)->task;
        witness_price(&t->target, &t->space, &bytes, &steps);
        assert_true(steps > 1e9);
        assert_int_equal(price_witness(t, 1, &price, &whole, NULL), 0);
        assert_false(whole);
        assert_true(price.flops_of[PRICE_WITNESS] == STEP_FLOPS * steps);
        spec_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_costs),
#ifndef MEMORY_DEBUG /* which touches all memory, and asan has no room under a limit */
        cmocka_unit_test(too_long_a_length_is_refused),
        cmocka_unit_test(prices_are_what_cells_take), /* from its end on BLAS is called */
#endif
        cmocka_unit_test(looking_for_a_witness_costs),
    };
#ifdef MEMORY_DEBUG
    (void)prices_are_what_cells_take;
    (void)too_long_a_length_is_refused;
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
