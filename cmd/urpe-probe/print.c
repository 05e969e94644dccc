/* What several commands do alike, before their work and after. */
#include <string.h>

#include "base/file.h"
#include "command.h"

int prepare_folder(const char *folder, const char *name, struct err *e)
{
    char path[FILE_PATH_MAX];
    int code = file_make_folder(folder, e);
    if (!code)
        code = file_join(path, sizeof path, folder, name, e);
    return code ? code : file_check_write(path, e);
}

void say_skipped(const struct results *r)
{
    for (int k = 0; k < r->skips; k++)
        text_say(stderr, "skipped %s", r->skipped[k]);
}

/* Floors that rest on what the spec says must not pass for proved ones. */
static void say_declared(const struct spec *s)
{
    struct text last = {0};
    char where[320];
    for (int k = 0; k < spec_cells(s); k++) {
        const char *key, *text = model_declared(&spec_cell(s, k)->task.model, &key);
        if (text && (!last.data || strcmp(text, last.data) != 0)) {
            spec_where(s, key, where, sizeof where);
            text_say(stderr, "%s: warning: %s: floors rest on %s, which was tried on random parameters and is "
                     "not proved", where, key, text);
            text_clear(&last);
            text_append(&last, text);
        }
        spec_drop_cell(s, k);
    }
    text_close(&last);
}

void say_doubts(const struct spec *s)
{
    struct text doubts = {0};
    if (!spec_doubts(s, &doubts, NULL) && doubts.length)
        text_show(stderr, &doubts);
    text_close(&doubts);
    say_declared(s);
}

/* A spec whose claims are all about `run` must not pass for one whose claims hold here. */
static void say_others(const struct spec *s, enum claim_on on)
{
    for (int other = CLAIM_ON_RUN; other <= CLAIM_ON_WITNESS; other++) {
        int count = 0;
        for (int k = 0; k < spec_claims(s); k++)
            count += (int)spec_claim(s, k)->on == other;
        if (count && other != (int)on)
            text_say(stderr, "%d claim%s of the spec %s about `%s`, and not judged here", count,
                     count == 1 ? "" : "s", count == 1 ? "is" : "are", claim_on_names[other]);
    }
}

int judge_claims(const struct arguments *a, const struct spec *s, enum claim_on on,
                 const struct results *r, int *status, struct err *e)
{
    FILE *out = a->quiet || a->format != LISTING_TABLE ? stderr : stdout;
    int broken = 0;
    struct report_screen screen = terminal_screen(a, out);
    int code = report_claims(out, s, on, r, &screen, a->quiet, &broken, e);
    if (broken)
        *status = EXIT_FAILED;
    if (!code && !a->quiet && on != CLAIM_ON_RUN)
        say_others(s, on);
    return code;
}

int print_results(const struct arguments *a, const struct results *r, struct err *e)
{
    struct text text = {0};
    int code = 0;
    if (a->format == LISTING_TABLE) {
        struct report_screen screen = terminal_screen(a, stdout);
        for (int k = 0; !code && k < r->specs; k++)
            code = report_table(stdout, r->spec[k], r, &screen, e);
        return code;
    }
    code = a->format == LISTING_CSV ? results_csv(&text, r, e) : results_json(&text, r, e);
    if (!code)
        code = terminal_put(&text, e);
    text_close(&text);
    return code;
}

int choose_cell(const struct spec *s, const char *id, const struct cell **out, struct err *e)
{
    for (int k = 0; k < spec_cells(s) && (id || spec_cells(s) == 1); k++) {
        *out = spec_cell(s, k);
        if (!id || !strncmp((*out)->id, id, strlen(id)))
            return 0;
        spec_drop_cell(s, k);
    }
    if (id)
        return err_set(e, ERR_USAGE, NULL, "--cell %s: no cell of the spec has such an id; "
                       "`urpe-probe bound SPEC --format csv` lists them", id);
    return err_set(e, ERR_USAGE, NULL, "the spec has %d cells; expected one: choose it by --cell ID, "
                   "or --set", spec_cells(s));
}

int print_listing(const struct arguments *a, const struct listing *l, struct err *e)
{
    struct text text = {0};
    int code = listing_append(&text, l, a->format, terminal_width(), e);
    if (!code)
        code = terminal_put(&text, e);
    text_close(&text);
    return code;
}
