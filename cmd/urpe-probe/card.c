/* urpe-probe card: what one class of models can express, and where it stands beside the built-in ones. */
#include "run/card.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/gzip.h"
#include "base/system.h"
#include "command.h"
#include "kernel/kernel.h"
#include "run/network.h"

enum { OTHERS_BYTES_MAX = 256 << 20 };

/* Where the battery and the results of the built-in encodings lie, from the program's own folder: as
 * `make install` puts them, and as they were built. */
static const char *const places[] = {"../share/urpe-probe", "../experiments"};
static const char battery_name[] = "atlas.yaml";

struct work {
    const struct arguments *arguments;
    const char *path; /* the class's spec, or NULL */
    char battery[FILE_PATH_MAX];
    struct spec *spec, *plain;
    struct text rows;
    struct certify_counts counts;
    struct results own, built_in;
    struct conditions conditions;
    struct card card;
    char why_not[sizeof(struct err) + 32], title[512];
    struct text command;
    const char **word; /* (words) of --set, and of what is narrowed */
    int words;
    struct arena arena; /* of those words */
};

/* ---- the battery ------------------------------------------------------------------------------*/
static int find_battery(struct work *w, struct err *e)
{
    char folder[FILE_PATH_MAX];
    if (w->arguments->battery) {
        snprintf(w->battery, sizeof w->battery, "%s", w->arguments->battery);
        return 0;
    }
    bool known = system_program_folder(program_word, folder, sizeof folder);
    for (size_t k = 0; known && k < sizeof places / sizeof *places; k++) {
        int length = snprintf(w->battery, sizeof w->battery, "%s/%s/%s", folder, places[k], battery_name);
        if (length > 0 && length < (int)sizeof w->battery && file_exists(w->battery))
            return 0;
    }
    return err_set(e, ERR_IO, "--battery", "is not given, and there is no share/urpe-probe/%s or "
                   "experiments/%s beside the program's folder; expected a spec of targets and "
                   "inputs: --battery FILE", battery_name, battery_name);
}

/* The results that lie beside it: BATTERY.csv or BATTERY.csv.gz for BATTERY.yaml. */
static int read_beside(const struct work *w, struct text *rows, char others[FILE_PATH_MAX], struct err *e)
{
    const char *dot = strrchr(w->battery, '.'), *slash = strrchr(w->battery, '/');
    int stem = dot && (!slash || dot > slash) ? (int)(dot - w->battery) : (int)strlen(w->battery);
    char *bytes = NULL;
    size_t count = 0;
    snprintf(others, FILE_PATH_MAX, "%.*s.csv", stem, w->battery);
    if (!file_exists(others))
        snprintf(others, FILE_PATH_MAX, "%.*s.csv.gz", stem, w->battery);
    bool packed = strcmp(others + strlen(others) - 3, ".gz") == 0;
    if (!file_exists(others))
        return err_set(e, ERR_IO, others, "does not exist, nor does the same without .gz");
    int code = file_read(others, OTHERS_BYTES_MAX, &bytes, &count, e);
    if (!code && packed)
        code = gzip_expand(rows, others, bytes, count, OTHERS_BYTES_MAX, e);
    else if (!code)
        text_append_bytes(rows, bytes, count);
    memory_free(bytes);
    return code ? code : text_check(rows, e);
}

static int parse_atlas(struct work *w, const struct text *table, int *foreign, struct err *e)
{
    struct text rows = {0};
    int code = card_rows_of_atlas(&rows, w->plain, table->data, table->length, foreign, &w->card.numerics, e);
    if (!code)
        code = results_parse(&w->built_in, w->plain, rows.data, rows.length, e);
    text_close(&rows);
    return code;
}

/* A lack of them, or results of another battery, is said on the card. */
static int read_others(struct work *w, struct err *e)
{
    struct err cause = {0};
    struct text rows = {0};
    char path[FILE_PATH_MAX];
    int foreign = 0, code = read_beside(w, &rows, path, &cause);
    w->card.numerics = SPEC_NUMERICS_VERSION; /* that cells have in their ids */
    if (!code && rows.data && card_is_atlas(rows.data))
        code = parse_atlas(w, &rows, &foreign, &cause);
    else if (!code)
        code = results_parse_some(&w->built_in, w->plain, rows.data ? rows.data : "", rows.length, &foreign,
                                  &cause);
    text_close(&rows);
    if (code == ERR_MEMORY)
        return err_pass(e, &cause);
    if (code)
        snprintf(w->why_not, sizeof w->why_not, "Not shown: %s: %s", cause.where, cause.msg);
    else if (!w->built_in.rows)
        snprintf(w->why_not, sizeof w->why_not, "Not shown: the %d rows of %.400s are of another battery, or of "
                 "another version of the program", foreign, path);
    w->card.others = w->built_in.rows ? &w->built_in : NULL;
    w->card.why_not = w->why_not;
    w->card.version = w->built_in.rows ? result_text(&w->built_in.row[0], "version") : "";
    return 0;
}

/* ---- the class --------------------------------------------------------------------------------*/
static int check_class(const struct work *w, struct err *e)
{
    const struct model_config *first = &spec_cell(w->spec, 0)->task.model;
    for (int k = 1; k < spec_cells(w->spec); k++) {
        const struct model_config *m = &spec_cell(w->spec, k)->task.model;
        if (memcmp(&m->encoding, &first->encoding, sizeof m->encoding) ||
            memcmp(&m->plan, &first->plan, sizeof m->plan))
            return err_set(e, ERR_USAGE, NULL, "a card is of one encoding, and here there are several; "
                           "expected --set model.encoding=NAME (`urpe-probe list encodings`), or a SPEC "
                           "with `model:`");
    }
    return 0;
}

/* Whether the cells have more than two values of a key. */
static bool has_many(const struct spec *s, const char *key)
{
    char value[512], seen[2][512];
    int count = 0;
    for (int k = 0; k < spec_cells(s); k++) {
        if (!spec_value(spec_cell(s, k), key, value, sizeof value))
            continue;
        bool new = true;
        for (int i = 0; i < count; i++)
            new = new && strcmp(seen[i], value);
        if (new && count == 2)
            return true;
        if (new)
            strcpy(seen[count++], value);
    }
    return false;
}

/* Of long axes over the model, such as one of normalisers, the first value alone: words for --set. */
static int narrow(struct work *w, bool *narrowed, struct err *e)
{
    char value[512], word[640];
    int code = 0;
    *narrowed = false;
    for (int k = 0; k < spec_axes(w->spec) && !code; k++) {
        const char *key = spec_axis(w->spec, k);
        if (strncmp(key, "model.", strlen("model.")) || !has_many(w->spec, key) ||
            !spec_value(spec_cell(w->spec, 0), key, value, sizeof value))
            continue;
        snprintf(word, sizeof word, "%s=%s", key, value);
        code = memory_grow(w->word, (size_t)w->words + 1, e);
        if (!code)
            w->word[w->words++] = arena_text(&w->arena, word, e);
        *narrowed = true;
    }
    return code ? code : arena_check(&w->arena);
}

static int open_class(struct work *w, struct err *e)
{
    spec_close(w->spec);
    w->spec = NULL;
    return spec_open_class(&w->spec, w->battery, w->path, w->word, w->words, e);
}

static int open_specs(struct work *w, struct err *e)
{
    const struct settings *set = &w->arguments->set;
    bool narrowed = false;
    int code = spec_open(&w->plain, w->battery, NULL, 0, e);
    if (!code)
        code = memory_grow(w->word, (size_t)set->count + 1, e);
    for (; !code && w->words < set->count; w->words++)
        w->word[w->words] = set->word[w->words];
    if (!code)
        code = open_class(w, e);
    if (!code)
        code = check_class(w, e);
    if (!code && !w->arguments->all)
        code = narrow(w, &narrowed, e);
    return code || !narrowed ? code : open_class(w, e);
}

/* "t5", "formula -a[h] * d", "llama-3 rope". */
static void name_class(struct work *w)
{
    static const char *const more[] = {"model.encoding.bias", "model.encoding.factor"};
    const struct cell *c = spec_cell(w->spec, 0);
    char value[256];
    size_t used = 0;
    const char *const whole[] = {"model.preset", "model.plan", "model.encoding"};
    bool plan = c->task.model.plan.turn; /* it names the encodings */
    for (size_t k = 0; k < (plan ? 2 : sizeof whole / sizeof *whole) && used < sizeof w->title; k++)
        if (spec_value(c, whole[k], value, sizeof value) && *value && strcmp(value, "none"))
            used += (size_t)snprintf(w->title + used, sizeof w->title - used, "%s%s", used ? " " : "", value);
    if (!used)
        used = (size_t)snprintf(w->title, sizeof w->title, "none");
    for (size_t k = 0; k < sizeof more / sizeof *more && used < sizeof w->title; k++)
        if (spec_value(c, more[k], value, sizeof value) && *value)
            used += (size_t)snprintf(w->title + used, sizeof w->title - used, " %s", value);
    w->card.title = w->title;
}

static void append_command(struct work *w)
{
    const struct arguments *a = w->arguments;
    text_append_format(&w->command, "urpe-probe card%s%s", w->path ? " " : "", w->path ? w->path : "");
    if (a->battery)
        text_append_format(&w->command, " --battery %s", a->battery);
    for (int k = 0; k < a->set.count; k++)
        text_append_format(&w->command, " --set '%s'", a->set.word[k]);
    w->card.command = w->command.data;
    w->card.battery = spec_name(w->plain);
}

/* ---- models from elsewhere --------------------------------------------------------------------*/
/* Predictions are of one class: what is left open must be said. */
static int check_settled(const struct work *w, struct err *e)
{
    struct text open = {0};
    for (int k = 0; k < spec_axes(w->spec); k++)
        if (strncmp(spec_axis(w->spec, k), "model.", strlen("model.")) == 0)
            text_append_format(&open, "%s--set %s=VALUE", open.length ? " " : "", spec_axis(w->spec, k));
    int code = text_check(&open, e);
    if (!code && open.length)
        code = err_set(e, ERR_USAGE, NULL, "the class leaves settings of the battery open, and predictions are of "
                       "one; expected %.300s", open.data);
    text_close(&open);
    return code;
}

static int write_samples(struct work *w, struct err *e)
{
    const struct arguments *a = w->arguments;
    int code = file_make_folder(a->samples, e);
    if (!code)
        code = card_samples(w->spec, a->samples, a->train, e);
    if (!code && !a->quiet)
        text_say(stderr, "samples of %d targets are in %s; put predictions.safetensors, with y (and y.LENGTH), beside "
                 "each one's inputs, and give the same command with --predictions %s", spec_cells(w->spec),
                 a->samples, a->samples);
    return code;
}

/* ---- the work ---------------------------------------------------------------------------------*/
static int measure(struct work *w, struct err *e)
{
    const struct arguments *a = w->arguments;
    bool read = a->out || (a->format == LISTING_TABLE && !a->quiet); /* by somebody: rows have no price */
    int code = read ? card_price(w->path, w->word, w->words, &w->card.cost, e) : 0;
    if (!code && *terminal_signal())
        code = err_set(e, ERR_INTERRUPTED, NULL, "interrupted");
    const struct card_work work = {.spec = w->spec, .predictions = a->predictions, .jobs = a->jobs,
                                   .threads = a->threads, .stop = terminal_signal(), .messages = stderr,
                                   .progress = a->quiet || a->no_progress ? NULL : stderr};
    if (!code)
        code = card_rows(&work, &w->rows, &w->counts, &w->card.scores, e);
    if (!code)
        code = trainer_api_of(MODEL_DOUBLE)->kernel_open(e);
    if (!code)
        code = kernel_reserve(1, e);
    if (!code)
        code = card_conditions(spec_cell(w->spec, 0), &w->conditions, &w->card.unconditional, e);
    w->card.conditions = w->card.unconditional ? NULL : &w->conditions;
    if (!code)
        code = results_parse(&w->own, w->spec, w->rows.data, w->rows.length, e);
    w->card.own = &w->own;
    return code;
}

static int print_card(struct work *w, struct err *e)
{
    struct text out = {0};
    struct report_screen screen = terminal_screen(w->arguments, stdout);
    int code = card_text(&out, &w->card, &screen, e);
    if (!code)
        code = terminal_put(&out, e);
    text_close(&out);
    return code;
}

/* Before the work, after which nothing is left but what is whole. */
static int try_folder(const char *folder, struct err *e)
{
    bool there = file_exists(folder);
    int code = prepare_folder(folder, "card.html", e);
    return code || there ? code : file_remove(folder, e);
}

static int write_card(struct work *w, struct err *e)
{
    struct text svg = {0}, page = {0}, rows = {0};
    card_svg(&svg, &w->card);
    int code = card_html(&page, &w->card, e);
    if (!code)
        code = file_make_folder(w->arguments->out, e);
    if (!code)
        code = results_csv(&rows, &w->own, e);
    if (!code)
        code = file_write_text(w->arguments->out, "card.csv", &rows, e);
    if (!code)
        code = file_write_text(w->arguments->out, "card.svg", &svg, e);
    if (!code)
        code = file_write_text(w->arguments->out, "card.html", &page, e);
    text_close(&svg);
    text_close(&page);
    text_close(&rows);
    return code;
}

static int conclude(struct work *w, struct err *e)
{
    const struct arguments *a = w->arguments;
    int code = read_others(w, e);
    name_class(w);
    append_command(w);
    if (!code)
        code = text_check(&w->command, e);
    if (!code)
        code = card_open(&w->card, w->plain, e);
    if (!code && a->out)
        code = write_card(w, e);
    if (!code && !a->quiet)
        code = a->format == LISTING_TABLE ? print_card(w, e) : print_results(a, &w->own, e);
    card_close(&w->card);
    return code;
}

static int check_words(const struct arguments *a, struct err *e)
{
    if (!a->operands && !a->set.count)
        return err_set(e, ERR_USAGE, NULL, "the class is missing; expected --set model.encoding=NAME "
                       "(`urpe-probe list encodings`), or a SPEC with `model:`");
    struct kind_config named;
    if (a->operands && !file_exists(a->operand[0]) && option_set_kind(&encoding_kinds, a->operand[0], &named))
        return err_set(e, ERR_USAGE, a->operand[0], "is an encoding, and no file; expected SPEC, or --set "
                       "model.encoding=%.64s", a->operand[0]);
    if (a->operands && strcmp(a->operand[0], "-") == 0)
        return err_set(e, ERR_USAGE, "-", "is standard input, and the class is read twice; expected a file");
    return 0;
}

static void close_work(struct work *w)
{
    results_close(&w->own);
    results_close(&w->built_in);
    text_close(&w->rows);
    text_close(&w->command);
    memory_free(w->word);
    arena_close(&w->arena);
    spec_close(w->spec);
    spec_close(w->plain);
    memory_free(w);
}

static int run(const struct arguments *a, struct err *e)
{
    struct work *w = memory_alloc(1, sizeof *w, e);
    if (!w)
        return ERR_MEMORY;
    w->arguments = a;
    w->path = a->operands ? a->operand[0] : NULL;
    w->own.borrowed = w->built_in.borrowed = true;
    terminal_watch_signals();
    int code = arena_open(&w->arena, 0, e);
    if (!code)
        code = check_words(a, e);
    if (!code)
        code = find_battery(w, e);
    if (!code)
        code = open_specs(w, e);
    if (!code && (a->samples || a->predictions))
        code = check_settled(w, e);
    if (!code && a->samples) {
        code = write_samples(w, e);
        close_work(w);
        return code;
    }
    if (!code && a->out)
        code = try_folder(a->out, e);
    if (!code)
        code = measure(w, e);
    if (code == ERR_INTERRUPTED)
        text_say(stderr, "urpe-probe: interrupted");
    if (!code)
        code = conclude(w, e);
    int status = w->card.scores.apart || w->counts.failed ? EXIT_FAILED : 0;
    if (!code)
        code = err_pass(e, &w->counts.memory);
    close_work(w);
    return code ? code : status;
}

const struct command command_card = {
    .name = "card",
    .operands = "[SPEC]",
    .summary = "say what one class of models can express, beside the built-in encodings",
    .details = "The class is what --set says of the model, over what the section `model` of SPEC says. "
               "A battery of targets and kinds of input is gone through: floors, what random networks of "
               "the class tell apart, explicit weights.  Nothing is trained.  Settings of the battery (C, "
               "masks) that the class leaves open are all gone through, and the first is shown in full; of those with "
               "more than two values (normalisers) the first alone, unless --all is given.\n"
               "--out DIR writes card.html, one page that needs nothing else, card.svg and card.csv, the "
               "rows; --format csv or json prints these.\n"
               "Models from elsewhere: --samples DIR writes what they are to be trained and judged on, --predictions "
               "DIR judges what they say of it, beside the floors of the class.  The exit status is 1 where they tell "
               "apart what no network of the class does.\n"
               "A battery is a spec: its axes over the model, but the encoding, are the settings.  Results "
               "of the built-in encodings lie beside it, BATTERY.csv.",
    .flag = {FLAG_SET, FLAG_BATTERY, FLAG_CARD_ALL, FLAG_SAMPLES, FLAG_TRAIN,
             FLAG_CARD_PREDICTIONS, FLAG_OUT, FLAG_JOBS, FLAG_THREADS, FLAG_FORMAT, FLAG_QUIET,
             FLAG_NO_PROGRESS, FLAG_COLOR},
    .run = run,
};
