/* urpe-probe bench: step time against this machine's own SGEMM, RPE against URPE, memory against n; and
 * each normaliser and mask against softmax, and formulas against the encodings that they write out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gsl/gsl_fit.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/system.h"
#include "command.h"
#include "mask/mask.h"
#include "normaliser/normaliser.h"
#include "run/bench.h"

#define STEP_SECONDS 6.0
#define PAIR_SECONDS 21.0

static const struct bench_case sizes[] = {
    {.n = 16, .width = 32, .layers = 2, .batch = 32, .heads = 4},
    {.n = 32, .width = 64, .layers = 2, .batch = 32, .heads = 4},
    {.n = 64, .width = 128, .layers = 3, .batch = 32, .heads = 4},
    {.n = 128, .width = 256, .layers = 3, .batch = 16, .heads = 8},
};
/* Heads of 64 channels, as in the paper's model; and of 16: C costs a fixed number of operations
 * for each pair of positions and head, so narrow heads show it most. */
static const struct bench_case pairs[] = {
    {.n = 128, .width = 128, .layers = 2, .batch = 8, .heads = 2},
    {.n = 256, .width = 128, .layers = 2, .batch = 8, .heads = 2},
    {.n = 512, .width = 128, .layers = 2, .batch = 8, .heads = 2},
    {.n = 128, .width = 64, .layers = 2, .batch = 8, .heads = 4},
    {.n = 256, .width = 64, .layers = 2, .batch = 8, .heads = 4},
    {.n = 512, .width = 64, .layers = 2, .batch = 8, .heads = 4},
};
/* Every normaliser, and every mask: the default window, of 128 keys, is an eighth of its length. */
static const struct bench_case of_normalisers = {.n = 256, .width = 128, .layers = 2, .batch = 8,
                                                 .heads = 2, .threads = 1};
static const struct bench_case of_masks = {.n = 1024, .width = 128, .layers = 2, .batch = 2, .heads = 2,
                                           .threads = 1};
/* As a user would write them; a head has 32 channels. */
static const struct bench_case of_formulas = {.n = 128, .width = 128, .layers = 2, .batch = 8, .heads = 4,
                                              .threads = 1};
static const struct {
    const char *name, *built_in, *formula;
    bool graphs;
} formulas[] = {
    {"alibi", "alibi", "bias: '-2^(-8 * h / H) * math.abs(d)', parameters: {}", false},
    {"kerple-log", "kerple-log",
     "bias: '-math.max(p[h], .01) * math.log(1 + math.max(a[h], .01) * math.abs(d))', "
     "parameters: {a: {low: 0, high: 1}, p: {low: 0, high: 2}}", false},
    {"kerple-power", "kerple-power",
     "bias: '-math.max(a[h], .01) * math.abs(d) ^ math.min(math.max(p[h], .01), 2)', "
     "parameters: {a: {low: 0, high: 1}, p: {low: 0, high: 2}}", false},
    {"sandwich", "sandwich",
     "bias: 'local s = -16 for k = 1, 16 do s = s + math.cos(d / 10000^(k/16)) end return s / (8*h/H)', "
     "parameters: {}", false},
    {"toeplitz", "toeplitz", "bias: 'bias[h][d + n]', parameters: {bias: {size: 255, std: 0.02, table: true}}", false},
    {"t5", "t5",
     "bias: 'local b, m = d > 0 and 17 or 1, math.abs(d) return bias[h][b + (m < 8 and m or "
     "math.min(15, 8 + math.log(m/8) / math.log(16) * 8 // 1))]', "
     "parameters: {bias: {size: 32, std: 0.09, table: true}}", false},
    {"sinusoidal", "sinusoidal",
     "input: 'local a = (i - 1) / 10000^((c - 1) // 2 * 2 / C) return c % 2 == 1 and math.sin(a) or math.cos(a)', "
     "parameters: {}", false},
    {"graphormer", "toeplitz", "bias: 'bias[h][d + 1]', parameters: {bias: {size: 10, std: 0.02, table: true}}", true}};
static const int memory_lengths[] = {512, 1024, 2048, 4096, 8192};
#define COUNT_OF(a) ((int)(sizeof(a) / sizeof *(a)))

enum { CELL = 24, SHOWN_MAX = 14 };

struct bench {
    const struct arguments *a;
    struct text csv;
    double ms[COUNT_OF(sizes)]; /* at one thread */
};

static double seconds_of(const struct bench *b, double usual)
{
    return b->a->seconds > 0 ? b->a->seconds : usual;
}

/* A paragraph of the screen's width. */
static int say(const char *words, struct err *e)
{
    struct text t = {0};
    append_wrapped(&t, words, 0, terminal_width());
    text_append(&t, "\n");
    int code = terminal_put(&t, e);
    text_close(&t);
    fflush(stdout);
    return code;
}

/* One number of a table, with so many decimals; NaN: nothing. */
struct shown {
    double value;
    int decimals;
};

static int show(struct listing *l, const struct shown *row, struct err *e)
{
    char text[SHOWN_MAX][CELL];
    const char *value[SHOWN_MAX];
    for (int k = 0; k < l->columns; k++) {
        snprintf(text[k], CELL, "%.*f", row[k].decimals, row[k].value);
        value[k] = isnan(row[k].value) ? NULL : text[k];
    }
    return listing_add(l, value, e);
}

/* Prints the rows, and empties the listing. */
static int end_table(const struct bench *b, struct listing *l, int code, struct err *e)
{
    if (!code)
        code = print_listing(b->a, l, e);
    listing_close(l);
    fflush(stdout);
    return code;
}

static void add_row(struct bench *b, const struct bench_case *c, const struct bench_figures *f)
{
    struct text *t = &b->csv;
    const long long whole[] = {c->n, c->width, c->layers, c->batch, c->heads};
    for (int k = 0; k < COUNT_OF(whole); k++)
        csv_field_int(t, whole[k]);
    csv_field(t, c->urpe ? "urpe" : "rpe");
    csv_field_int(t, c->threads);
    csv_field_double(t, f->ms_per_step, 6);
    csv_field_double(t, f->tokens_per_second, 6);
    csv_field_double(t, f->flops, 6);
    csv_field_double(t, f->sgemm_flops > 0 ? f->sgemm_flops : NAN, 6);
    csv_field_double(t, f->ratio > 0 ? f->ratio : NAN, 4);
    csv_field_double(t, f->peak_flops > 0 ? f->peak_flops : NAN, 6);
    csv_field_double(t, f->peak_ratio > 0 ? f->peak_ratio : NAN, 4);
    csv_field_double(t, f->peak_mib, 6);
    csv_end_row(t);
}

static int run_sizes(struct bench *b, int threads, struct err *e)
{
    static const struct listing_column columns[] = {
        {"n", true}, {"d", true}, {"ms/step", true}, {"tokens/s", true}, {"GFLOP/s", true},
        {"SGEMM", true}, {"ratio", true}, {"peak", true}, {"of it", true}, {"MiB", true}, {"faster", true}};
    struct listing l;
    char caption[96];
    int length = snprintf(caption, sizeof caption, "\n%d thread%s; layers and batch:", threads, threads == 1 ? "" : "s");
    for (int k = 0; k < COUNT_OF(sizes); k++)
        length += snprintf(caption + length, sizeof caption - (size_t)length, "%s %d, %d", k ? ";" : "",
                           sizes[k].layers, sizes[k].batch);
    int code = say(caption, e);
    listing_open(&l, columns, COUNT_OF(columns));
    for (int k = 0; k < COUNT_OF(sizes) && !code; k++) {
        struct bench_case c = sizes[k];
        struct bench_figures f;
        c.urpe = true;
        c.threads = threads;
        code = bench_step(&c, seconds_of(b, STEP_SECONDS), &f, e);
        if (code)
            break;
        add_row(b, &c, &f);
        b->ms[k] = threads == 1 ? f.ms_per_step : b->ms[k];
        const struct shown row[] = {
            {c.n, 0}, {c.width, 0}, {f.ms_per_step, 3}, {f.tokens_per_second, 0}, {f.flops / 1e9, 1},
            {f.sgemm_flops / 1e9, 1}, {f.ratio, 3}, {f.peak_flops / 1e9, 1}, {f.peak_ratio, 3}, {f.peak_mib, 1},
            {threads == 1 ? (double)NAN : b->ms[k] / f.ms_per_step, 2}};
        code = show(&l, row, e);
    }
    return end_table(b, &l, code, e);
}

static int run_pairs(struct bench *b, struct err *e)
{
    static const struct listing_column columns[] = {
        {"n", true}, {"d", true}, {"heads", true}, {"rpe ms", true}, {"urpe ms", true},
        {"ratio", true}, {"rpe MiB", true}, {"urpe MiB", true}, {"ratio", true}};
    struct listing l;
    int code = say("\nRPE against URPE, steps in turn, one thread, 2 layers, batch 8: heads of 64 channels, "
                   "the paper's, then of 16, which show the cost of C most", e);
    listing_open(&l, columns, COUNT_OF(columns));
    for (int k = 0; k < COUNT_OF(pairs) && !code; k++) {
        struct bench_case c[2] = {pairs[k], pairs[k]};
        struct bench_figures f[2];
        double ratio;
        c[0].threads = c[1].threads = 1;
        c[1].urpe = true;
        code = bench_pair(c, seconds_of(b, PAIR_SECONDS), f, &ratio, e);
        if (code)
            break;
        for (int u = 0; u < 2; u++)
            add_row(b, &c[u], &f[u]);
        const struct shown row[] = {
            {c->n, 0}, {c->width, 0}, {c->heads, 0}, {f[0].ms_per_step, 3}, {f[1].ms_per_step, 3},
            {ratio, 4}, {f[0].peak_mib, 1}, {f[1].peak_mib, 1}, {f[1].peak_mib / f[0].peak_mib, 4}};
        code = show(&l, row, e);
    }
    return end_table(b, &l, code, e);
}

static int run_memory(struct bench *b, struct err *e)
{
    static const struct listing_column columns[] = {{"n", true}, {"ms", true}, {"MiB", true}};
    double x[COUNT_OF(memory_lengths)], y[COUNT_OF(memory_lengths)], start, slope, v00, v01, v11,
        residual;
    struct listing l;
    int code = say("\nMemory against length, one step: width 64, 2 layers, batch 1", e);
    listing_open(&l, columns, COUNT_OF(columns));
    for (int k = 0; k < COUNT_OF(memory_lengths) && !code; k++) {
        struct bench_case c = {.n = memory_lengths[k], .width = 64, .layers = 2, .batch = 1,
                               .heads = 4, .urpe = true, .threads = 1};
        struct bench_figures f;
        code = bench_memory(&c, 1, &f, e);
        if (code)
            break;
        add_row(b, &c, &f);
        code = show(&l, (const struct shown[]){{c.n, 0}, {f.ms_per_step, 1}, {f.peak_mib, 1}}, e);
        x[k] = log(c.n);
        y[k] = log(f.peak_mib);
    }
    code = end_table(b, &l, code, e);
    if (code)
        return code;
    if (gsl_fit_linear(x, 1, y, 1, (size_t)COUNT_OF(memory_lengths), &start, &slope, &v00, &v01,
                       &v11, &residual))
        return err_set(e, ERR_NUMERIC, "", "the exponent could not be fitted");
    printf("exponent of peak memory in n: %.3f\n", slope);
    return 0;
}

/* ---- kinds ------------------------------------------------------------------------------------*/
/* One line: a step of the second case over one of the first; words: normaliser, mask, and that of the first. */
static int run_ratio(struct bench *b, const struct bench_case pair[2], const char *const words[3],
                     const char *name, const char *formula, struct err *e)
{
    const struct bench_case *c = pair;
    struct bench_figures f[2];
    double ratio;
    int code = bench_pair(pair, seconds_of(b, STEP_SECONDS), f, &ratio, e);
    if (code)
        return code;
    printf("%-14s %10.3f %7.3f\n", name, f[1].ms_per_step, ratio);
    fflush(stdout);
    for (int k = 0; k < 3; k++)
        csv_field(&b->csv, words[k]);
    const long long whole[] = {c->n, c->width, c->layers, c->batch, c->heads, c->threads};
    for (int k = 0; k < COUNT_OF(whole); k++)
        csv_field_int(&b->csv, whole[k]);
    csv_field_double(&b->csv, f[1].ms_per_step, 6);
    csv_field_double(&b->csv, f[0].ms_per_step, 6);
    csv_field_double(&b->csv, ratio, 4);
    csv_field(&b->csv, formula);
    csv_end_row(&b->csv);
    return 0;
}

/* A step of case c with a normaliser and a mask over one with softmax and the mask `of`. */
static int run_kind(struct bench *b, const struct bench_case *c, const char *normaliser,
                    const char *mask, const char *of, const char *name, struct err *e)
{
    char keys[2][96];
    struct bench_case pair[2] = {*c, *c};
    snprintf(keys[0], sizeof keys[0], ", mask: %s", of);
    snprintf(keys[1], sizeof keys[1], ", mask: %s, normaliser: %s", mask, normaliser);
    for (int k = 0; k < 2; k++)
        pair[k].keys = keys[k];
    return run_ratio(b, pair, (const char *const[]){normaliser, mask, of}, name, "", e);
}

static int run_formulas(struct bench *b, struct err *e)
{
    int code = say("\nFormulas, softmax, n = 128, 4 heads: a step over one of the built-in encoding", e);
    if (!code)
        printf("%-14s %10s %7s\n", "formula of", "ms/step", "ratio");
    for (int k = 0; k < COUNT_OF(formulas) && !code; k++) {
        char encoding[512];
        struct bench_case pair[2] = {of_formulas, of_formulas};
        snprintf(encoding, sizeof encoding, "{kind: formula, %s}", formulas[k].formula);
        pair[0].encoding = formulas[k].built_in;
        pair[1].encoding = encoding;
        pair[0].graphs = pair[1].graphs = formulas[k].graphs;
        code = run_ratio(b, pair, (const char *const[]){"softmax", "none", "none"}, formulas[k].name,
                         formulas[k].name, e);
    }
    return code;
}

static int run_kinds(struct bench *b, struct err *e)
{
    text_append(&b->csv, "normaliser,mask,against_mask,n,d,layers,batch,heads,threads,ms_per_step,"
                         "softmax_ms_per_step,ratio,formula\n");
    int code = say("Normalisers, causal, n = 256: a step over one of softmax, timed in turn, the median; one "
                   "thread, 2 layers, width 128, 2 heads, batch 8", e);
    if (!code)
        printf("%-14s %10s %7s\n", "normaliser", "ms/step", "ratio");
    for (int k = 0; normaliser_table[k] && !code; k++)
        code = run_kind(b, &of_normalisers, normaliser_table[k]->name, "causal", "causal",
                        normaliser_table[k]->name, e);
    if (!code)
        code = say("\nMasks, softmax, n = 1024, batch 2: a step over one without a mask", e);
    if (!code)
        printf("%-14s %10s %7s\n", "mask", "ms/step", "ratio");
    for (int k = 0; mask_table[k] && !code; k++)
        if (mask_table[k]->axes_min <= 1 && mask_table[k]->axes_max >= 1)
            code = run_kind(b, &of_masks, "softmax", mask_table[k]->name, "none", mask_table[k]->name, e);
    return code ? code : run_formulas(b, e);
}

static int run_steps(struct bench *b, struct err *e)
{
    int threads = b->a->threads > 0 ? b->a->threads : system_cores() > 1 ? 2 : 1;
    text_append(&b->csv, "n,d,layers,batch,heads,attention,threads,ms_per_step,tokens_per_second,"
                         "flops,sgemm_flops,ratio,peak_flops,peak_ratio,peak_mib\n");
    int code = say("FLOP of a step = 3 x batch x forward; forward = layers x (2 n (4 d d + 2 d f) + 4 n n d) "
                   "+ 2 n d (in + out)", e);
    if (!code)
        code = say("SGEMM: the linear layers' products at (batch n) rows by the BLAS library; peak: "
                   "multiply-adds in registers; both in turn with the steps, each ratio the median over "
                   "turns", e);
    if (!code)
        code = run_sizes(b, 1, e);
    if (!code && threads > 1)
        code = run_sizes(b, threads, e);
    if (!code)
        code = run_pairs(b, e);
    return code ? code : run_memory(b, e);
}

static int run(const struct arguments *a, struct err *e)
{
    struct bench b = {.a = a};
    char cpu[128];
    system_cpu_name(cpu, sizeof cpu);
    int code = a->csv ? file_check_write(a->csv, e) : 0;
    if (!code)
        code = say(cpu, e);
    if (!code)
        code = a->kinds ? run_kinds(&b, e) : run_steps(&b, e);
    if (!code)
        code = text_check(&b.csv, e);
    if (!code && a->csv)
        code = file_write(a->csv, b.csv.data, b.csv.length, e);
    text_close(&b.csv);
    return code;
}

const struct command command_bench = {
    .name = "bench",
    .operands = "",
    .summary = "time training steps against this machine's own matrix products",
    .details = "Prints milliseconds a step, tokens and FLOP/s, and their ratio to SGEMM at the "
               "model's own shapes measured in turn; then RPE against URPE in time and memory, and "
               "memory against length. Either form takes about 5 minutes; the machine should be "
               "idle.",
    .flag = {FLAG_KINDS, FLAG_BENCH_CSV, FLAG_SECONDS, FLAG_BENCH_THREADS},
    .run = run};
