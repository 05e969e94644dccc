/* urpe-probe list: what there is, straight from the tables that the program itself uses. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "command.h"
#include "commands.h"
#include "encoding/encoding.h"
#include "mask/mask.h"
#include "model/presets.h"
#include "normaliser/normaliser.h"
#include "run/preset.h"
#include "space/space.h"
#include "target/target.h"

enum { KINDS_SPELT = 4, COLUMNS_MAX = 8 };
#define HUGE_RANGE 1e15 /* a limit beyond it is none that anybody meets */

/* ---- options as text --------------------------------------------------------------------------*/
static void append_limit(struct text *out, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append(out, text_from_double_short(number, value));
}

static void append_range(struct text *out, const struct option *o)
{
    bool low = o->min > -HUGE_RANGE, high = o->max < HUGE_RANGE;
    if (low && high) {
        text_append(out, " from ");
        append_limit(out, o->min);
        text_append(out, " to ");
        append_limit(out, o->max);
    } else if (low || high) {
        text_append(out, low ? " from " : " up to ");
        append_limit(out, low ? o->min : o->max);
    }
}

/* Kinds have lists of their own, so only short ones are spelt out. */
static void append_names(struct text *out, const struct option *o)
{
    if (o->type == OPTION_KIND && o->kinds->count > KINDS_SPELT) {
        text_append_format(out, "name of %s %s", strchr("aeiou", o->kinds->what[0]) ? "an" : "a",
                           o->kinds->what);
        return;
    }
    if (o->type == OPTION_CHOICE)
        for (int k = 0; o->names[k]; k++)
            text_append_format(out, "%s%s", k ? " | " : "", o->names[k]);
    else
        for (int k = 0; k < o->kinds->count; k++)
            text_append_format(out, "%s%s", k ? " | " : "", o->kinds->name(k));
}

/* What an option accepts: "integer from 1 to 4096", "none | pre | post". */
static void append_type(struct text *out, const struct option *o)
{
    static const char *const word[] = {[OPTION_INT] = "integer",
                                       [OPTION_REAL] = "number",
                                       [OPTION_BOOL] = "true | false",
                                       [OPTION_TEXT] = "text",
                                       [OPTION_INT_LIST] = "integers",
                                       [OPTION_PLAN] = "list of maps"};
    if (o->type == OPTION_CHOICE || o->type == OPTION_KIND)
        append_names(out, o);
    else
        text_append(out, word[o->type]);
    if (o->type == OPTION_INT || o->type == OPTION_REAL || o->type == OPTION_INT_LIST)
        append_range(out, o);
}

/* Appends "buckets = 32 (integer from 4 to 4096); ...", an entry's own options, and returns out's
 * text. */
static const char *options_text(struct text *out, const struct option *o)
{
    for (bool first = true; o && o->key; o++, first = false) {
        text_append_format(out, "%s%s = %s (", first ? "" : "; ", o->key,
                           o->fallback ? o->fallback : "required");
        append_type(out, o);
        text_append(out, ")");
    }
    return out->data;
}

/* Whether all it does is before the softmax, whose rows sum to 1, with the encoding's default options. */
static const char *stochastic_of(int kind)
{
    struct kind_config config = {.kind = kind};
    struct encoding_shape shape = {.width = 16, .heads = 2, .head_width = 8,
                                   .past = encoding_table[kind]->past_only};
    struct encoding_facts facts = {0};
    option_kind_defaults(encoding_table[kind]->options, &config);
    encoding_table[kind]->facts(&config, &shape, &facts);
    if (!facts.right_stochastic)
        return "no, it adds to the values after the softmax";
    return facts.absolute ? "yes, but absolute: it adds to the input" : "yes";
}

/* ---- sections ---------------------------------------------------------------------------------*/
/* A listing in the making; what goes wrong first is kept until the end. */
struct list {
    struct listing listing;
    struct text first, second; /* cells that are composed, until their row is added */
    bool terminal;             /* a person reads it */
    int code;
    struct err *e;
};

static void add_row(struct list *l, const char *const *cell)
{
    if (!l->code)
        l->code = text_check(&l->first, l->e);
    if (!l->code)
        l->code = text_check(&l->second, l->e);
    if (!l->code)
        l->code = listing_add(&l->listing, cell, l->e);
    text_clear(&l->first);
    text_clear(&l->second);
}
/* As many texts as the section has columns. */
#define ADD_ROW(l, ...) add_row(l, (const char *const[]){__VA_ARGS__})

static void list_encodings(struct list *l)
{
    for (int k = 0; encoding_table[k]; k++) {
        const struct encoding *x = encoding_table[k];
        ADD_ROW(l, x->name, x->formula, x->summary, options_text(&l->first, x->options),
                stochastic_of(k), x->relation_text, x->longer, x->citation);
    }
}

/* What a layer can tell of the keys that a query sees, by enum view_measure. */
static const char *const measure_names[] = {"shares", "numbers over the length", "numbers",
                                            "numbers and the length"};

static void list_normalisers(struct list *l)
{
    for (int k = 0; normaliser_table[k]; k++) {
        const struct normaliser *x = normaliser_table[k];
        struct kind_config config = {.kind = k};
        struct normaliser_shape shape = {.heads = 2, .head_width = 8, .past = true, .own = true};
        struct normaliser_facts facts = {0};
        option_kind_defaults(x->options, &config);
        x->facts(&config, &shape, &facts);
        ADD_ROW(l, x->name, x->formula, x->summary, options_text(&l->first, x->options),
                facts.order == VIEW_ORDERED ? "the order" : measure_names[facts.measure],
                facts.constant_sums ? "yes" : "no", x->citation);
    }
}

/* The kinds of C, which stand beside the encodings. */
static void list_c(struct list *l)
{
    for (int k = 0; urpe_table[k]; k++) {
        const struct urpe *x = urpe_table[k];
        ADD_ROW(l, x->name, x->summary, options_text(&l->first, x->options), x->longer, x->citation);
    }
}

static void list_masks(struct list *l)
{
    for (int k = 0; mask_table[k]; k++) {
        const struct mask *x = mask_table[k];
        ADD_ROW(l, x->name, x->formula, x->summary, options_text(&l->first, x->options),
                x->past ? "yes" : "no", x->citation);
    }
}

static void list_targets(struct list *l)
{
    for (int k = 0; target_table[k]; k++) {
        const struct target *x = target_table[k];
        ADD_ROW(l, x->name, x->formula, x->summary, options_text(&l->first, x->options),
                x->bytes ? "bytes" : x->tokens ? "tokens" : "[0,1]^(n x d)", x->citation);
    }
}

/* "identical: all tokens equal; ..." */
static void append_list(struct text *out, const char *const *name, bool orbits)
{
    for (int i = 0; name[i]; i++) {
        const char *help = "";
        for (int k = 0; !orbits && pattern_table[k]; k++)
            if (strcmp(pattern_table[k]->name, name[i]) == 0)
                help = pattern_table[k]->help;
        for (int k = 0; orbits && orbit_table[k]; k++)
            if (strcmp(orbit_table[k]->name, name[i]) == 0)
                help = orbit_table[k]->help;
        text_append_format(out, "%s%s: %s", i ? "; " : "", name[i], help);
    }
}

static void list_spaces(struct list *l)
{
    for (int k = 0; space_table[k]; k++) {
        const struct space *x = space_table[k];
        struct text inputs = {0};
        append_list(&inputs, x->patterns, false);
        append_list(&l->second, x->orbits, true);
        if (!l->code)
            l->code = text_check(&inputs, l->e);
        ADD_ROW(l, x->name, x->summary, options_text(&l->first, x->options), inputs.data,
                l->second.data, x->citation);
        text_close(&inputs);
    }
}

/* In a terminal the type stands behind the help; CSV and JSON keep them apart. */
static void add_key(struct list *l, const struct spec_key *k)
{
    struct text *type = &l->first, *help = &l->second;
    if (k->type)
        text_append(type, k->type);
    else
        append_type(type, k->option);
    if (k->option->unit)
        text_append_format(type, ", in %s", k->option->unit);
    if (k->kind)
        text_append_format(help, "%s: ", k->kind);
    text_append(help, k->option->help ? k->option->help : "");
    if (l->terminal && type->length)
        text_append_format(help, " (%s)", type->data);
    ADD_ROW(l, k->key, k->option->fallback ? k->option->fallback : "required",
            l->terminal ? "" : type->data, help->data);
}

static void list_keys(struct list *l)
{
    struct spec_key *keys = NULL;
    int count = 0;
    l->code = spec_keys(&keys, &count, l->e);
    for (int k = 0; k < count; k++)
        add_key(l, &keys[k]);
    memory_free(keys);
}

/* Each with its verdicts, which are computed here and now; then what no keys make. */
static void list_presets(struct list *l)
{
    for (const struct preset *p = preset_table + 1; p->name && !l->code; p++) {
        const char *alone = "", *fronted = "";
        l->code = preset_verdict(p->name, "none", &alone, l->e);
        l->code = l->code ? l->code : preset_verdict(p->name, "bos", &fronted, l->e);
        ADD_ROW(l, p->name, p->keys, alone, fronted, p->lacks, p->source);
    }
    for (const struct preset_absent *p = preset_absent; p->name; p++) {
        text_append_format(&l->first, "not here: %s", p->reason);
        ADD_ROW(l, p->name, "", "", "", l->first.data, "");
    }
}

static void list_figures(struct list *l)
{
    const char *name, *title;
    for (int k = 0; report_figure_at(k, &name, &title); k++)
        ADD_ROW(l, name, title);
}

/* In a terminal the rows that have a column stand behind its meaning. */
static void list_columns(struct list *l)
{
    for (int f = 0; f < FILE_COUNT; f++)
        for (const struct column *c = column_files[f].column; c->name; c++) {
            const char *rows = column_scope_names[c->scope];
            text_append(&l->first, c->help);
            if (l->terminal && c->scope != COLUMN_ALL)
                text_append_format(&l->first, " (%s)", rows);
            ADD_ROW(l, column_files[f].name, c->name, l->terminal ? "" : rows,
                    l->terminal ? "" : column_over_names[c->over], l->first.data);
        }
}

/* Every section: one line here, its name in command_list.operands. */
static const struct section {
    const char *name, *title;
    void (*fill)(struct list *l);
    const char *columns[COLUMNS_MAX + 1]; /* NULL-terminated */
} section_table[] = {
    {"encodings", "encodings (model.encoding)", list_encodings,
     {"encoding", "formula", "summary", "options", "right-stochastic", "relation", "longer",
      "source"}},
    {"normalisers", "normalisers (model.normaliser)", list_normalisers,
     {"normaliser", "formula", "summary", "options", "sees", "constant row sums", "source"}},
    {"c", "C of URPE (model.c)", list_c, {"c", "summary", "options", "longer", "source"}},
    {"masks", "masks (model.mask)", list_masks,
     {"mask", "formula", "summary", "options", "hides what follows", "source"}},
    {"targets", "targets (target)", list_targets,
     {"target", "formula", "summary", "options", "inputs", "source"}},
    {"spaces", "spaces (space)", list_spaces,
     {"space", "summary", "options", "inputs", "orbits", "source"}},
    {"presets", "presets (model.preset); which tell equal tokens apart, by themselves and with a token "
     "in front", list_presets,
     {"preset", "keys", "alone", "with BOS", "left out", "source"}},
    {"figures", "figures (figures: [NAME, ...]; default: all that have data)", list_figures,
     {"figure", "summary"}},
    {"keys", "keys of a spec (those of a claim as claims.where)", list_keys,
     {"key", "default", "type", "help"}},
    {"columns", "columns of the CSV files", list_columns,
     {"file", "column", "rows", "seeds", "meaning"}},
    {NULL, NULL, NULL, {NULL}}};

/* ---- the command ------------------------------------------------------------------------------*/
static int append_section(struct text *out, const struct section *s, const struct arguments *a,
                          struct err *e)
{
    struct listing_column column[COLUMNS_MAX];
    struct list l = {.terminal = a->format == LISTING_TABLE, .e = e};
    int columns = 0;
    for (; s->columns[columns]; columns++)
        column[columns] = (struct listing_column){s->columns[columns], false};
    listing_open(&l.listing, column, columns);
    s->fill(&l);
    if (l.terminal)
        text_append_format(out, "%s\n\n", s->title);
    if (!l.code)
        l.code = listing_append(out, &l.listing, a->format, terminal_width(), e);
    if (l.terminal)
        text_append(out, "\n");
    listing_close(&l.listing);
    text_close(&l.first);
    text_close(&l.second);
    return l.code;
}

static int run(const struct arguments *a, struct err *e)
{
    const char *wanted = a->operands ? a->operand[0] : NULL;
    struct text text = {0};
    int code = wanted && choose(command_list.operands, "list", wanted, e) < 0 ? ERR_USAGE : 0;
    if (!code && !wanted && a->format != LISTING_TABLE)
        code = err_set(e, ERR_USAGE, NULL, "--format csv and json list one thing at a time: %s",
                       command_list.operands);
    for (const struct section *s = section_table; !code && s->name; s++)
        if (!wanted || strcmp(s->name, wanted) == 0)
            code = append_section(&text, s, a, e);
    if (!code)
        code = terminal_put(&text, e);
    text_close(&text);
    return code;
}

const struct command command_list = {
    .name = "list",
    .operands = "[encodings|normalisers|c|masks|targets|spaces|presets|figures|keys|columns]",
    .summary = "list what there is: definitions, options with defaults and ranges, sources",
    .details = "Without an argument everything is listed.",
    .flag = {FLAG_FORMAT},
    .run = run,
};
