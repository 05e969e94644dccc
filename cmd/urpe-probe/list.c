/* urpe-probe list: what there is, straight from the tables that the program itself uses. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "command.h"
#include "commands.h"
#include "encoding/encoding.h"
#include "space/space.h"
#include "target/target.h"

#define COUNT_OF(a) ((int)(sizeof(a) / sizeof *(a)))
enum { KINDS_SPELT = 4 };
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
                                       [OPTION_INT_LIST] = "integers"};
    if (o->type == OPTION_CHOICE || o->type == OPTION_KIND)
        append_names(out, o);
    else
        text_append(out, word[o->type]);
    if (o->type == OPTION_INT || o->type == OPTION_REAL || o->type == OPTION_INT_LIST)
        append_range(out, o);
}

/* "buckets = 32 (integer from 4 to 4096); ..." of an entry's own options. */
static void append_options(struct text *out, const struct option *o)
{
    for (bool first = true; o && o->key; o++, first = false) {
        text_append_format(out, "%s%s = %s (", first ? "" : "; ", o->key,
                           o->fallback ? o->fallback : "required");
        append_type(out, o);
        text_append(out, ")");
    }
}

/* Adds a row whose third cell is the entry's options. */
static int add_entry(struct listing *l, const char *const *value, int options_at,
                     const struct option *options, struct err *e)
{
    struct text text = {0};
    const char *row[8];
    memcpy(row, value, (size_t)l->columns * sizeof *row);
    append_options(&text, options);
    row[options_at] = text.data;
    int code = text_check(&text, e);
    if (!code)
        code = listing_add(l, row, e);
    text_close(&text);
    return code;
}

/* Whether all it does is before the softmax, whose rows sum to 1, with the encoding's default options. */
static const char *stochastic_of(int kind)
{
    struct kind_config config = {.kind = kind};
    struct encoding_shape shape = {.width = 16, .heads = 2, .head_width = 8,
                                   .causal = encoding_table[kind]->causal_only};
    struct encoding_facts facts = {0};
    option_kind_defaults(encoding_table[kind]->options, &config);
    encoding_table[kind]->facts(&config, &shape, &facts);
    if (!facts.right_stochastic)
        return "no, it adds to the values after the softmax";
    return facts.absolute ? "yes, but absolute: it adds to the input" : "yes";
}

/* ---- sections ---------------------------------------------------------------------------------*/
static int fill_encodings(struct listing *l, bool terminal, struct err *e)
{
    (void)terminal;
    static const struct listing_column columns[] = {
        {"encoding", false},   {"formula", false},  {"summary", false}, {"options", false},
        {"right-stochastic", false}, {"relation", false}, {"longer", false}, {"source", false}};
    int code = 0;
    listing_open(l, columns, COUNT_OF(columns));
    for (int k = 0; !code && encoding_table[k]; k++) {
        const struct encoding *x = encoding_table[k];
        const char *row[] = {x->name,          x->formula,       x->summary, NULL,
                             stochastic_of(k), x->relation_text, x->longer,  x->citation};
        code = add_entry(l, row, 3, x->options, e);
    }
    return code;
}

/* The kinds of C, which stand beside the encodings. */
static int fill_c(struct listing *l, bool terminal, struct err *e)
{
    (void)terminal;
    static const struct listing_column columns[] = {
        {"c", false}, {"summary", false}, {"options", false}, {"longer", false}, {"source", false}};
    int code = 0;
    listing_open(l, columns, COUNT_OF(columns));
    for (int k = 0; !code && urpe_table[k]; k++) {
        const struct urpe *x = urpe_table[k];
        const char *row[] = {x->name, x->summary, NULL, x->longer, x->citation};
        code = add_entry(l, row, 2, x->options, e);
    }
    return code;
}

static int fill_targets(struct listing *l, bool terminal, struct err *e)
{
    (void)terminal;
    static const struct listing_column columns[] = {{"target", false},  {"formula", false},
                                                    {"summary", false}, {"options", false},
                                                    {"inputs", false},  {"source", false}};
    int code = 0;
    listing_open(l, columns, COUNT_OF(columns));
    for (int k = 0; !code && target_table[k]; k++) {
        const struct target *x = target_table[k];
        const char *row[] = {x->name, x->formula, x->summary, NULL,
                             x->bytes ? "bytes" : x->tokens ? "tokens" : "[0,1]^(n x d)", x->citation};
        code = add_entry(l, row, 3, x->options, e);
    }
    return code;
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

static int fill_spaces(struct listing *l, bool terminal, struct err *e)
{
    (void)terminal;
    static const struct listing_column columns[] = {{"space", false},   {"summary", false},
                                                    {"options", false}, {"inputs", false},
                                                    {"orbits", false},  {"source", false}};
    int code = 0;
    listing_open(l, columns, COUNT_OF(columns));
    for (int k = 0; !code && space_table[k]; k++) {
        const struct space *x = space_table[k];
        struct text inputs = {0}, orbits = {0};
        append_list(&inputs, x->patterns, false);
        append_list(&orbits, x->orbits, true);
        const char *row[] = {x->name, x->summary, NULL, inputs.data, orbits.data, x->citation};
        code = text_check(&inputs, e);
        if (!code)
            code = text_check(&orbits, e);
        if (!code)
            code = add_entry(l, row, 2, x->options, e);
        text_close(&inputs);
        text_close(&orbits);
    }
    return code;
}

/* In a terminal the type stands behind the help; CSV and JSON keep them apart. */
static int add_key(struct listing *l, const struct spec_key *k, bool terminal, struct err *e)
{
    struct text type = {0}, help = {0};
    if (k->type)
        text_append(&type, k->type);
    else
        append_type(&type, k->option);
    if (k->option->unit)
        text_append_format(&type, ", in %s", k->option->unit);
    if (k->kind)
        text_append_format(&help, "%s: ", k->kind);
    text_append(&help, k->option->help ? k->option->help : "");
    if (terminal && type.data)
        text_append_format(&help, " (%s)", type.data);
    const char *row[] = {k->key, k->option->fallback ? k->option->fallback : "required",
                         terminal ? "" : type.data, help.data};
    int code = text_check(&type, e);
    if (!code)
        code = text_check(&help, e);
    if (!code)
        code = listing_add(l, row, e);
    text_close(&type);
    text_close(&help);
    return code;
}

static int fill_keys(struct listing *l, bool terminal, struct err *e)
{
    static const struct listing_column columns[] = {
        {"key", false}, {"default", false}, {"type", false}, {"help", false}};
    struct spec_key *keys = NULL;
    int count = 0, code = spec_keys(&keys, &count, e);
    listing_open(l, columns, COUNT_OF(columns));
    for (int k = 0; !code && k < count; k++)
        code = add_key(l, &keys[k], terminal, e);
    memory_free(keys);
    return code;
}

static int fill_figures(struct listing *l, bool terminal, struct err *e)
{
    (void)terminal;
    static const struct listing_column columns[] = {{"figure", false}, {"summary", false}};
    const char *row[2];
    int code = 0;
    listing_open(l, columns, COUNT_OF(columns));
    for (int k = 0; !code && report_figure_at(k, &row[0], &row[1]); k++)
        code = listing_add(l, row, e);
    return code;
}

static const struct section {
    const char *name, *title;
    int (*fill)(struct listing *l, bool terminal, struct err *e);
} section_table[] = {
    {"encodings", "encodings (model.encoding)", fill_encodings},
    {"c", "C of URPE (model.c)", fill_c},
    {"targets", "targets (target)", fill_targets},
    {"spaces", "spaces (space)", fill_spaces},
    {"figures", "figures (figures: [NAME, ...]; default: all that have data)", fill_figures},
    {"keys", "keys of a spec (those of a claim as claims.where)", fill_keys},
};

/* ---- the command ------------------------------------------------------------------------------*/
static int append_section(struct text *out, const struct section *s, const struct arguments *a,
                          struct err *e)
{
    struct listing l = {0};
    int code = s->fill(&l, a->format == LISTING_TABLE, e);
    if (!code && a->format == LISTING_TABLE)
        text_append_format(out, "%s\n\n", s->title);
    if (!code)
        code = listing_append(out, &l, a->format, terminal_width(), e);
    if (!code && a->format == LISTING_TABLE)
        text_append(out, "\n");
    listing_close(&l);
    return code;
}

static int find_section(const char *name, struct err *e)
{
    const char *names[COUNT_OF(section_table)];
    for (int k = 0; k < COUNT_OF(section_table); k++) {
        if (strcmp(section_table[k].name, name) == 0)
            return 0;
        names[k] = section_table[k].name;
    }
    const char *near = text_nearest(name, names, COUNT_OF(section_table));
    return err_set(e, ERR_USAGE, NULL,
                   "list %s: encodings, c, targets, spaces, figures or keys was expected%s%s%s", name,
                   near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int run(const struct arguments *a, struct err *e)
{
    const char *wanted = a->operands ? a->operand[0] : NULL;
    struct text text = {0};
    int code = wanted ? find_section(wanted, e) : 0;
    if (!code && !wanted && a->format != LISTING_TABLE)
        code = err_set(e, ERR_USAGE, NULL, "--format csv and json list one thing at a time: "
                                           "encodings, c, targets, spaces, figures or keys");
    for (int k = 0; !code && k < COUNT_OF(section_table); k++)
        if (!wanted || strcmp(section_table[k].name, wanted) == 0)
            code = append_section(&text, &section_table[k], a, e);
    if (!code)
        code = terminal_put(&text, e);
    text_close(&text);
    return code;
}

const struct command command_list = {
    .name = "list",
    .operands = "[encodings|c|targets|spaces|figures|keys]",
    .summary = "list what there is: definitions, options with defaults and ranges, sources",
    .details = "Without an argument everything is listed.",
    .options = FLAG_FORMAT,
    .operands_min = 0,
    .operands_max = 1,
    .run = run,
};
