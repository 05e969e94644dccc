/* Short forms: the first characters that tell a text from the others, and a mark.
 *
 *     none           none
 *     transformer-xl tran~      encoding: tran~ transformer-xl, kerple-l~ kerple-log, ...
 *     kerple-log     kerple-l~
 *     kerple-power   kerple-p~
 *
 * Invariant: two texts that differ have short forms that differ. */
#include "report/fit.h"

#include <stdio.h>
#include <string.h>

enum { SHORTEST = 4, LONGEST = 30, TEXTS_MAX = 64, FORM_MAX = 4 * LONGEST + 8 };

/* The distinct texts of a column, or the names of all columns. */
struct texts {
    const char *text[TEXTS_MAX];
    int count;
    int kept; /* characters that short forms keep */
};

static bool has_text(const struct texts *t, const char *s)
{
    for (int k = 0; k < t->count; k++)
        if (strcmp(t->text[k], s) == 0)
            return true;
    return false;
}

/* The first `kept` characters and a mark, where that is shorter than the text. */
static void short_form(char out[FORM_MAX], const char *s, int kept)
{
    size_t bytes = 0;
    if (text_columns(s) <= kept + 1) {
        snprintf(out, FORM_MAX, "%s", s);
        return;
    }
    for (int k = 0; k < kept; k++) {
        bytes++;
        while (((unsigned char)s[bytes] & 0xc0) == 0x80)
            bytes++;
    }
    snprintf(out, FORM_MAX, "%.*s~", (int)bytes, s);
}

static bool forms_differ(const struct texts *t)
{
    char a[FORM_MAX], b[FORM_MAX];
    for (int k = 0; k < t->count; k++)
        for (int m = 0; m < k; m++) {
            short_form(a, t->text[k], t->kept);
            short_form(b, t->text[m], t->kept);
            if (strcmp(a, b) == 0)
                return false;
        }
    return true;
}

/* Whether there are short forms: not of very many texts, nor where they would be long. */
static bool find_forms(struct texts *t)
{
    for (t->kept = SHORTEST; t->kept < LONGEST; t->kept++)
        if (forms_differ(t))
            return true;
    return false;
}

static bool texts_of_column(const struct listing *l, int column, struct texts *t)
{
    t->count = 0;
    for (int r = 0; r < l->rows; r++) {
        const char *s = l->cell[r * l->columns + column];
        if (has_text(t, s))
            continue;
        if (t->count == TEXTS_MAX)
            return false;
        t->text[t->count++] = s;
    }
    return find_forms(t);
}

static bool texts_of_names(const struct listing *l, struct texts *t)
{
    t->count = 0;
    for (int c = 0; c < l->columns; c++) {
        if (!listing_column_width(l, c) || has_text(t, l->column[c].name))
            continue;
        if (t->count == TEXTS_MAX)
            return false;
        t->text[t->count++] = l->column[c].name;
    }
    return find_forms(t);
}

static int widest_form(const struct texts *t)
{
    char form[FORM_MAX];
    int widest = 0;
    for (int k = 0; k < t->count; k++) {
        short_form(form, t->text[k], t->kept);
        if (text_columns(form) > widest)
            widest = text_columns(form);
    }
    return widest;
}

/* ---- dropping ---------------------------------------------------------------------------------*/
void fit_drop_constants(struct listing *l, int columns, struct text *said)
{
    for (int c = 0; c < columns && l->rows > 1; c++) {
        if (!*l->cell[c] || !listing_constant(l, c))
            continue;
        text_append_format(said, "%s%s %s", said->length ? ", " : "", l->column[c].name,
                           l->cell[c]);
        listing_empty(l, c);
    }
}

/* ---- shortening -------------------------------------------------------------------------------*/
/* One thing that can be shortened: a column's name or its texts. */
struct step {
    int column;
    bool name;
    int gain, width; /* columns that the table gets narrower; of what is shortened */
};

/* Of the wider of a column's name and texts: what shortening it brings. */
static bool measure(const struct listing *l, int column, int columns, struct step *out)
{
    struct texts texts;
    char form[FORM_MAX];
    int name = text_columns(l->column[column].name), widest = 0, after;
    for (int r = 0; r < l->rows; r++) {
        int here = text_columns(l->cell[r * l->columns + column]);
        if (here > widest)
            widest = here;
    }
    if (!widest)
        return false;
    *out = (struct step){.column = column, .name = name > widest};
    if (out->name) {
        if (!texts_of_names(l, &texts))
            return false;
        short_form(form, l->column[column].name, texts.kept);
        after = text_columns(form);
    } else {
        if (column >= columns || !texts_of_column(l, column, &texts))
            return false;
        after = widest_form(&texts);
    }
    int other = out->name ? widest : name;
    out->width = out->name ? name : widest;
    out->gain = out->width - (after > other ? after : other);
    return after < out->width;
}

static bool find_step(const struct listing *l, int columns, struct step *best)
{
    bool found = false;
    for (int c = 0; c < l->columns; c++) {
        struct step here;
        if (!measure(l, c, columns, &here))
            continue;
        if (found && (here.gain < best->gain ||
                      (here.gain == best->gain && here.width <= best->width)))
            continue;
        *best = here;
        found = true;
    }
    return found;
}

static int shorten_name(struct listing *l, struct listing_column *column, int at,
                        struct arena *arena, struct text *legend, struct err *e)
{
    struct texts names;
    char form[FORM_MAX];
    texts_of_names(l, &names);
    short_form(form, column[at].name, names.kept);
    text_append_format(legend, "%s: %s\n", form, column[at].name);
    column[at].name = arena_text(arena, form, e);
    return column[at].name ? 0 : ERR_MEMORY;
}

/* Keeps more characters than it takes to tell texts apart, as long as forms fit in `room`. */
static void use_room(struct texts *t, int room)
{
    for (int least = t->kept++; t->kept < LONGEST; t->kept++) {
        if (widest_form(t) <= room && forms_differ(t))
            continue;
        t->kept = t->kept - 1 > least ? t->kept - 1 : least;
        return;
    }
    t->kept = LONGEST - 1;
}

/* A short form is no longer than the text, so it takes its place. */
static void shorten_texts(struct listing *l, int column, int width, struct text *legend)
{
    struct texts texts;
    char form[FORM_MAX];
    const char *before = ": ";
    texts_of_column(l, column, &texts);
    use_room(&texts, listing_column_width(l, column) - (listing_width(l) - width));
    text_append(legend, l->column[column].name);
    for (int k = 0; k < texts.count; k++) {
        short_form(form, texts.text[k], texts.kept);
        if (strcmp(form, texts.text[k]) == 0)
            continue;
        text_append_format(legend, "%s%s %s", before, form, texts.text[k]);
        before = ", ";
    }
    text_append(legend, "\n");
    for (int r = 0; r < l->rows; r++) {
        char *cell = l->cell[r * l->columns + column];
        short_form(form, cell, texts.kept);
        memcpy(cell, form, strlen(form) + 1);
    }
}

int fit_abbreviate(struct listing *l, struct listing_column *column, int columns, int width,
                   struct arena *arena, struct text *legend, struct err *e)
{
    struct step step = {0};
    int code = 0;
    while (!code && listing_width(l) > width && find_step(l, columns, &step)) {
        if (step.name)
            code = shorten_name(l, column, step.column, arena, legend, e);
        else
            shorten_texts(l, step.column, width, legend);
    }
    return code;
}
