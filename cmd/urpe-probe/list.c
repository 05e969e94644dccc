/* urpe-probe list: what there is, straight from the tables that the program itself uses. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "command.h"
#include "encoding/encoding.h"
#include "encoding/picture.h"
#include "mask/mask.h"
#include "model/presets.h"
#include "normaliser/normaliser.h"
#include "run/preset.h"
#include "space/space.h"
#include "target/target.h"

#define SECTIONS "encodings|normalisers|c|masks|targets|spaces|presets|figures|keys|columns"
static const char sections[] = SECTIONS;
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

static const char *fallback_of(const struct option *o)
{
    return !o->fallback ? "required" : *o->fallback ? o->fallback : "none";
}

/* Appends "buckets = 32 (integer from 4 to 4096); ...", an entry's own options, and returns out's
 * text. */
static const char *options_text(struct text *out, const struct option *o)
{
    for (bool first = true; o && o->key; o++, first = false) {
        text_append_format(out, "%s%s = %s (", first ? "" : "; ", o->key,
                           fallback_of(o));
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
    struct listing_column column[COLUMNS_MAX];
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
                x->take ? "those of the file" : x->bytes ? "bytes" : x->tokens ? "tokens" : "[0,1]^(n x d)", target_family(k), x->citation);
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

/* What an entry's own page has besides: for encodings, two pictures of 4 x 4. */
static int draw_encoding(struct text *out, int kind, struct err *e)
{
    struct kind_config c = {.kind = kind};
    struct encoding_picture p;
    struct text words = {0};
    enum { N = ENCODING_PICTURE_N };
    option_kind_defaults(encoding_table[kind]->options, &c);
    int code = encoding_picture(&c, &p, e);
    if (code)
        return code;
    text_append_format(&words, "what it adds to the logits of %d equal tokens%s, as training starts "
                       "(row: query i; column: key j), and which pairs (i, j) every choice of "
                       "parameters treats alike (same letter):", N,
                       p.graph ? " on a path of a graph" : "");
    text_append(out, "\n");
    append_paragraph(out, &words, terminal_width());
    text_append(out, "\n");
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            char number[16] = ".";
            if (!isnan(p.logit[i][j]))
                snprintf(number, sizeof number, fabs(p.logit[i][j]) < 10 ? "%.3f" : "%.1f",
                         p.logit[i][j]);
            text_append_format(out, "%7s", strcmp(number, "-0.000") ? number : "0.000");
        }
        text_append(out, "   ");
        for (int j = 0; j < N; j++)
            text_append_format(out, " %c", p.alike[i][j] < 0 ? '.' : 'a' + p.alike[i][j]);
        text_append(out, "\n");
    }
    text_close(&words);
    return 0;
}

/* Every section: one line here, its name in SECTIONS.  kinds: NULL where its rows are no
 * entries that have pages of their own. */
static const struct section {
    const char *name, *title;
    void (*fill)(struct list *l);
    const char *columns[COLUMNS_MAX + 1]; /* NULL-terminated */
    const struct kind_table *kinds;
    int (*draw)(struct text *out, int kind, struct err *e); /* NULL: no picture */
} section_table[] = {
    {"encodings", "encodings (model.encoding); positions i and j count from 0 here", list_encodings,
     {"encoding", "formula", "summary", "options", "right-stochastic", "relation", "longer",
      "source"}, &encoding_kinds, draw_encoding},
    {"normalisers", "normalisers (model.normaliser)", list_normalisers,
     {"normaliser", "formula", "summary", "options", "sees", "constant row sums", "source"},
     &normaliser_kinds, NULL},
    {"c", "C of URPE (model.c)", list_c, {"c", "summary", "options", "longer", "source"}, &urpe_kinds,
     NULL},
    {"masks", "masks (model.mask)", list_masks,
     {"mask", "formula", "summary", "options", "hides what follows", "source"}, &mask_kinds, NULL},
    {"targets", "targets (target); positions i count from 1 here, from 0 in encodings", list_targets,
     {"target", "formula", "summary", "options", "inputs", "family", "source"}, &target_kinds, NULL},
    {"spaces", "spaces (space)", list_spaces,
     {"space", "summary", "options", "inputs", "orbits", "source"}, &space_kinds, NULL},
    {"presets", "presets (model.preset); which tell equal tokens apart, by themselves and with a token "
     "in front", list_presets,
     {"preset", "keys", "alone", "with BOS", "left out", "source"}, NULL, NULL},
    {"figures", "figures (figures: [NAME, ...]; default: all that have data)", list_figures,
     {"figure", "summary"}, NULL, NULL},
    {"keys", "keys of a spec (those of a claim as claims.where)", list_keys,
     {"key", "default", "type", "help"}, NULL, NULL},
    {"columns", "columns of the CSV files", list_columns,
     {"file", "column", "rows", "seeds", "meaning"}, NULL, NULL},
    {NULL, NULL, NULL, {NULL}, NULL, NULL}};

/* ---- the command ------------------------------------------------------------------------------*/
static void fill(struct list *l, const struct section *s)
{
    int columns = 0;
    for (; s->columns[columns]; columns++)
        l->column[columns].name = s->columns[columns];
    listing_open(&l->listing, l->column, columns);
    s->fill(l);
}

static int append_section(struct text *out, const struct section *s, const struct arguments *a,
                          struct err *e)
{
    struct list l = {.terminal = a->format == LISTING_TABLE, .e = e};
    fill(&l, s);
    if (l.terminal)
        append_wrapped(out, s->title, 0, terminal_width());
    if (l.terminal)
        text_append(out, "\n\n");
    if (!l.code)
        l.code = listing_append(out, &l.listing, a->format, terminal_width(), e);
    if (l.terminal)
        text_append(out, "\n");
    listing_close(&l.listing);
    text_close(&l.first);
    text_close(&l.second);
    return l.code;
}

/* The options of an entry, a line or more for each. */
static void append_options(struct text *out, const struct option *o, const char *section)
{
    struct text line = {0};
    if (o && o->key)
        text_append(out, "\noptions, as keys of a spec:\n");
    for (; o && o->key; o++) {
        text_clear(&line);
        text_append_format(&line, "%s.%s = %s (", section, o->key, fallback_of(o));
        append_type(&line, o);
        text_append_format(&line, "): %s", o->help);
        text_append(out, "  ");
        if (line.data)
            append_wrapped(out, line.data, 4, terminal_width());
        text_append(out, "\n");
        out->failed |= line.failed;
    }
    text_close(&line);
}

/* The key that stands in parentheses in a section's title. */
static void key_of(const struct section *s, char *out, size_t size)
{
    const char *start = strchr(s->title, '(') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(start, ")"), start);
}

/* One entry in full: every column, every option, a picture where there is one. */
static int append_page(struct text *out, const struct section *s, int kind, struct err *e)
{
    struct list l = {.terminal = true, .e = e};
    char key[64];
    key_of(s, key, sizeof key);
    fill(&l, s);
    int columns = l.listing.columns;
    text_append_format(out, "%s%s: %s\n", out->length ? "\n" : "", key, s->kinds->name(kind));
    for (int c = 1; c < columns && !l.code; c++) {
        const char *value = l.listing.cell[kind * columns + c];
        if (!*value || strcmp(s->columns[c], "options") == 0)
            continue;
        text_append_format(&l.first, "%s: %s", s->columns[c], value);
        text_append(out, "  ");
        if (l.first.data)
            append_wrapped(out, l.first.data, 4, terminal_width());
        text_append(out, "\n");
        out->failed |= l.first.failed;
        text_clear(&l.first);
    }
    append_options(out, s->kinds->options(kind), key);
    if (!l.code && s->draw)
        l.code = s->draw(out, kind, e);
    listing_close(&l.listing);
    text_close(&l.first);
    text_close(&l.second);
    return l.code;
}

/* The pages of all entries of that name: `none` is an encoding, and a mask.  Nothing where there are
 * none. */
static int append_pages(struct text *out, const char *name, struct err *e)
{
    int code = 0;
    for (const struct section *s = section_table; s->name && !code; s++)
        for (int k = 0; s->kinds && k < s->kinds->count && !code; k++)
            if (strcasecmp(s->kinds->name(k), name) == 0)
                code = append_page(out, s, k, e);
    return code;
}

/* The nearest of sections and entries. */
static int unknown(const char *name, struct err *e)
{
    enum { NAMES = 256 };
    const char *names[NAMES];
    int count = 0;
    for (const struct section *s = section_table; s->name; s++) {
        if (count < NAMES)
            names[count++] = s->name;
        for (int k = 0; s->kinds && k < s->kinds->count && count < NAMES; k++)
            names[count++] = s->kinds->name(k);
    }
    const char *near = text_nearest(name, names, count);
    return err_set(e, ERR_USAGE, NULL, "list %s: no section and no entry is called so; expected one of "
                   "%s, or the name of an entry%s%s%s", name, sections, near ? "; did you mean " : "",
                   near ? near : "", near ? "?" : "");
}

static int run(const struct arguments *a, struct err *e)
{
    const char *wanted = a->operands ? a->operand[0] : NULL;
    struct text text = {0};
    int code = 0;
    bool section = choose(sections, "list", wanted ? wanted : "encodings", NULL) >= 0;
    if (!section && a->format == LISTING_TABLE)
        code = append_pages(&text, wanted, e);
    if (!section && !code && !text.length)
        code = a->format == LISTING_TABLE ? unknown(wanted, e)
                                          : err_set(e, ERR_USAGE, NULL, "--format csv and json list a "
                                                    "section: %s", sections);
    if (!code && !wanted && a->format != LISTING_TABLE)
        code = err_set(e, ERR_USAGE, NULL, "--format csv and json list one thing at a time: %s",
                       sections);
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
    .operands = "[" SECTIONS "]",
    .summary = "list what there is: definitions, options with defaults and ranges, sources",
    .details = "Without an argument everything is listed.  The name of an encoding, C, mask, "
               "normaliser, target or space in place of a section: that entry in full; of an encoding "
               "also what it makes of four tokens' logits.",
    .flag = {FLAG_FORMAT},
    .run = run,
};
