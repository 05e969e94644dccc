/* The man page: commands and options from their tables, keys of a spec from theirs. */
#include <string.h>

#include "base/memory.h"
#include "command.h"

/* Text for roff: no hyphens for minus signs, no requests by accident, lines as given. */
static void append_roff(struct text *out, const char *s)
{
    bool start = true;
    for (; *s; s++) {
        if (start && (*s == '.' || *s == '\''))
            text_append(out, "\\&");
        start = *s == '\n';
        if (*s == '\\')
            text_append(out, "\\e");
        else if (*s == '-')
            text_append(out, "\\-");
        else if (start)
            text_append(out, "\n.PP\n");
        else
            text_append_bytes(out, s, 1);
    }
    text_append(out, "\n");
}

/* A bold name, its value in italics, and what it means. */
static void append_man_entry(struct text *out, const char *name, const char *value,
                             const char *help)
{
    text_append(out, ".TP\n\\fB");
    for (const char *s = name; *s; s++)
        text_append_format(out, "%s%c", *s == '-' ? "\\" : "", *s);
    text_append_format(out, "\\fR%s%s%s\n", value ? " \\fI" : "", value ? value : "",
                       value ? "\\fR" : "");
    append_roff(out, help);
}

static void append_man_command(struct text *out, const struct command *c)
{
    const struct flag *f;
    text_append_format(out, ".SS \"%s %s\"\n", c->name, c->operands);
    append_roff(out, c->summary);
    text_append(out, ".PP\n");
    append_roff(out, c->details);
    for (int k = 0; (f = command_flag(c, k)); k++)
        append_man_entry(out, f->name, f->value, f->help);
}

/* ---- sections ---------------------------------------------------------------------------------*/
struct entry {
    const char *name, *meaning;
};

static void append_entries(struct text *out, const char *title, const struct entry *entry)
{
    text_append_format(out, ".SH %s\n", title);
    for (; entry->name; entry++)
        append_man_entry(out, entry->name, NULL, entry->meaning);
}

static const struct entry files[] = {
    {"results/NAME/report.html", "the page that `report` writes: claims, verdicts, figures"},
    {"results/NAME/results.csv", "a row for each cell, evaluated length and subset of inputs; "
     "`urpe-probe list columns` says what its columns are, and those of the four below"},
    {"results/NAME/summary.csv", "means and intervals over seeds"},
    {"results/NAME/curves.csv, positions.csv, tables.csv", "training curves, errors by position, and "
     "learned B and C"},
    {"results/NAME/specs/HASH.yaml", "each spec that was run here, resolved, with the files it names"},
    {"results/NAME/cells/ID/", "a cell: its spec, row.csv, weights.safetensors (for `predict`), and, "
     "until it is finished, its checkpoint"},
    {"results/NAME/figures/*.svg", "figures, where gnuplot is installed"},
    {NULL, NULL}};

static const struct entry environment[] = {
    {"NO_COLOR, TERM", "no colours by default where NO_COLOR is set or TERM is dumb; no progress line on "
     "a terminal that is dumb"},
    {"COLUMNS", "what text is fitted to where standard output is no terminal; from 40 up, 80 by default"},
    {"LC_ALL, LC_CTYPE, LANG", "ASCII alone unless the first that is set names UTF-8; numbers have a "
     "decimal point always"},
    {"URPE_KERNEL", "which kernels compute: portable, avx2, ... ; by default the fastest that the "
     "processor has"},
    {"URPE_PRODUCTS", "blas: all matrix products by BLAS, none by libxsmm"},
    {"URPE_CACHE", "KiB of second-level cache that products by libxsmm count on; by default a core's own. "
     "Results do not depend on it"},
    {NULL, NULL}};

static const struct entry examples[] = {
    {"urpe-probe check my.yaml", "is the spec sound, and what will it cost"},
    {"urpe-probe run my.yaml --set model.encoding=[t5,alibi] --set train.steps=3000", "train, with an "
     "axis more and longer"},
    {"urpe-probe report results/my", "figures and a page about all that is finished"},
    {"urpe-probe bound my.yaml --certificate certificates && urpe-probe-check certificates/*/*",
     "floors alone, and have them checked"},
    {"urpe-probe run my.yaml --shard 0/8", "an eighth of the cells; `report` merges"},
    {"urpe-probe list rope", "one entry in full"},
    {NULL, NULL}};

static const char form[] =
    ".SH THE SPEC\nA YAML file of nested maps; a kind that needs no options is its name alone.  Keys of "
    "grid, cases, claims and \\-\\-set are dotted.\n.PP\n.nf\n"
    "name: my\\-question\nseeds: 3\nspace: {length: 16, channels: 4, inputs: {identical: 0.5}}\n"
    "target: gain\nmodel: {encoding: {kind: t5, buckets: 16}, layers: 2}\n"
    "train: {steps: 1500}\ngrid:\n  model.attention: [rpe, urpe]\nclaims:\n"
    "  \\- where: {model.attention: rpe, subset: identical}\n    expect: {verdict: impossible}\n.fi\n";

/* The rows of `list keys`. */
static int append_keys(struct text *out, struct err *e)
{
    struct spec_key *key = NULL;
    struct text help = {0};
    int count = 0, code = spec_keys(&key, &count, e);
    text_append(out, form);
    for (int k = 0; k < count && !code; k++) {
        const struct option *o = key[k].option;
        text_clear(&help);
        text_append_format(&help, "%s%s%s (default: %s)", key[k].kind ? key[k].kind : "",
                           key[k].kind ? ": " : "", o->help ? o->help : "",
                           o->fallback ? o->fallback : "none, required");
        code = text_check(&help, e);
        if (!code)
            append_man_entry(out, key[k].key, NULL, help.data);
    }
    text_close(&help);
    memory_free(key);
    return code;
}

int man_append(struct text *out, struct err *e)
{
    text_append(out, ".TH URPE\\-PROBE 1 \"\" \"urpe\\-probe " URPE_VERSION "\" \"\"\n"
                     ".SH NAME\nurpe\\-probe \\- what a Transformer with a given positional "
                     "encoding can express\n"
                     ".SH SYNOPSIS\n.B urpe\\-probe\n.I COMMAND\n[OPTIONS] ...\n"
                     ".SH DESCRIPTION\n");
    append_roff(out, program_summary);
    text_append(out, ".SH COMMANDS\n");
    for (int k = 0; command_table[k]; k++)
        append_man_command(out, command_table[k]);
    text_append(out, ".SH EXIT STATUS\n");
    for (int k = 0; exit_table[k].status; k++)
        append_man_entry(out, exit_table[k].status, NULL, exit_table[k].meaning);
    int code = append_keys(out, e);
    append_entries(out, "FILES", files);
    append_entries(out, "ENVIRONMENT", environment);
    append_entries(out, "EXAMPLES", examples);
    return code ? code : text_check(out, e);
}
