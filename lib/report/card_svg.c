/* A card as a picture: targets by family downwards, settings beside each other, kinds of input within;
 * below, the class among the built-in encodings.  No script, no font but the reader's own; each cell's
 * figures are its tooltip.
 *
 * Invariant: colours differ in lightness too, and each has a sign of its own. */
#include <math.h>
#include <string.h>

#include "report/card.h"
#include "report/html.h"
#include "report/listing.h"

enum { BOX = 24, LEFT = 150, TOP = 34, HEAD = 92, GAP = 22, FAMILY = 22, LINE = 19, WIDTH = 960, MARGIN = 14,
       BAR = 420, NAME = 120, SUBSETS_MAX_SHOWN = 40 };

struct drawing {
    struct text *out;
    const struct card_table *table;
    int subset[SUBSETS_MAX_SHOWN], subsets; /* kinds of input that the settings of a block have */
};

static void append_words(struct text *out, int x, int y, const char *attributes, const char *s)
{
    text_append_format(out, "<text x=\"%d\" y=\"%d\"%s>", x, y, attributes);
    html_escape(out, s);
    text_append(out, "</text>\n");
}

/* Kinds of input of the class in a setting. */
static bool has_subset(const struct card_table *t, int setting, int subset)
{
    bool there = false;
    for (int x = 0; x < t->target.count; x++)
        there |= card_at(t, 0, setting, x, subset, t->own_length)->answer >= 0;
    return there && (t->subset.count == 1 || strcmp(t->subset.name[subset], "all"));
}

static void find_subsets(struct drawing *d, int setting)
{
    d->subsets = 0;
    for (int s = 0; s < d->table->subset.count && d->subsets < SUBSETS_MAX_SHOWN; s++)
        if (has_subset(d->table, setting, s))
            d->subset[d->subsets++] = s;
}

static void append_cell(const struct drawing *d, int setting, int target, int subset, int x, int y)
{
    const struct card_table *t = d->table;
    const struct card_value *v = card_at(t, 0, setting, target, subset, t->own_length);
    if (v->answer < 0)
        return;
    const struct card_answer *a = &card_answers[(int)v->answer];
    text_append(d->out, "<g><title>");
    html_escape(d->out, t->target.name[target]);
    text_append_format(d->out, ", %s, %s: %s", t->setting.name[setting], t->subset.name[subset], a->name);
    if (!isnan(v->error)) {
        text_append(d->out, ", error ");
        append_short(d->out, v->error);
    }
    if (v->floor > 0) {
        text_append(d->out, ", floor ");
        append_short(d->out, v->floor);
    }
    text_append_format(d->out, "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>"
                       "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"%s\">%s</text></g>\n",
                       x + 1, y + 1, BOX - 2, BOX - 2, a->fill, x + BOX / 2, y + BOX / 2 + 5, a->ink, a->sign);
}

/* Targets of one family under their name; at (settings): where each setting begins.  Returns where the next
 * family begins. */
static int append_family(struct drawing *d, int family, const int *setting, const int *at, int settings, int y)
{
    const struct card_table *t = d->table;
    append_words(d->out, MARGIN, y + 15, " font-style=\"italic\" fill=\"#595959\"", t->family.name[family]);
    y += FAMILY;
    for (int x = 0; x < t->target.count; x++) {
        if (t->family_of[x] != family)
            continue;
        append_words(d->out, LEFT - 8, y + 17, " text-anchor=\"end\"", t->target.name[x]);
        for (int k = 0; k < settings; k++) {
            find_subsets(d, setting[k]);
            for (int s = 0; s < d->subsets; s++)
                append_cell(d, setting[k], x, d->subset[s], at[k] + s * BOX, y);
        }
        y += BOX;
    }
    return y;
}

/* Some settings beside each other. */
static int append_block(struct drawing *d, const int *setting, const int *at, int settings, int y)
{
    const struct card_table *t = d->table;
    char turned[80];
    for (int k = 0; k < settings; k++) {
        append_words(d->out, at[k], y + 14, " font-weight=\"bold\"", t->setting.name[setting[k]]);
        find_subsets(d, setting[k]);
        for (int s = 0; s < d->subsets; s++) {
            int x = at[k] + s * BOX + BOX / 2 + 4, base = y + HEAD - 4;
            snprintf(turned, sizeof turned, " transform=\"rotate(-60 %d %d)\"", x, base);
            append_words(d->out, x, base, turned, t->subset.name[d->subset[s]]);
        }
    }
    y += HEAD;
    for (int f = 0; f < t->family.count; f++)
        y = append_family(d, f, setting, at, settings, y);
    return y + GAP;
}

/* As many beside each other as there is room for, the last word of their heads included. */
static int append_blocks(struct drawing *d, int y)
{
    const struct card_table *t = d->table;
    int shown[SUBSETS_MAX_SHOWN], at[SUBSETS_MAX_SHOWN], count = 0, x = LEFT;
    for (int s = 0; s < t->setting.count; s++) {
        if (!card_has(t, 0, s))
            continue;
        find_subsets(d, s);
        int width = d->subsets * BOX + GAP;
        width = width < NAME ? NAME : width;
        if (count && (x + width + GAP > WIDTH || count == SUBSETS_MAX_SHOWN)) {
            y = append_block(d, shown, at, count, y);
            count = 0;
            x = LEFT;
        }
        shown[count] = s;
        at[count++] = x;
        x += width;
    }
    return count ? append_block(d, shown, at, count, y) : y;
}

static int append_legend(const struct drawing *d, int y)
{
    const struct card_table *t = d->table;
    for (int a = 0; card_answers[a].name; a++) {
        bool there = false;
        for (int k = 0; k < t->setting.count; k++)
            for (int x = 0; x < t->target.count; x++)
                for (int s = 0; s < t->subset.count; s++)
                    there |= card_at(t, 0, k, x, s, t->own_length)->answer == a;
        if (!there)
            continue;
        const struct card_answer *one = &card_answers[a];
        text_append_format(d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>"
                           "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"%s\">%s</text>\n",
                           LEFT, y, BOX - 2, BOX - 2, one->fill, LEFT + BOX / 2 - 1, y + 16, one->ink, one->sign);
        text_append_format(d->out, "<text x=\"%d\" y=\"%d\">%s: %s</text>\n", LEFT + BOX + 8, y + 16, one->name,
                           one->help);
        y += BOX;
    }
    return y + GAP;
}

/* ---- among the built-in ones ------------------------------------------------------------------*/
static int append_bar(const struct drawing *d, int encoding, int setting, const char *name, int y)
{
    struct card_count c = card_count(d->table, encoding, setting, -1, true);
    int length = c.all ? BAR * c.out / c.all : 0;
    append_words(d->out, LEFT - 8, y + 14, encoding ? " text-anchor=\"end\"" : " text-anchor=\"end\" font-weight=\"bold\"",
                 name);
    text_append_format(d->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", LEFT, y + 2,
                       length, LINE - 5, encoding ? "#999999" : "#d55e00");
    text_append_format(d->out, "<text x=\"%d\" y=\"%d\">%d of %d</text>\n", LEFT + length + 6, y + 14, c.out,
                       c.all);
    return y + LINE;
}

static int append_others(const struct drawing *d, int y)
{
    const struct card_table *t = d->table;
    int setting = card_setting(t), own = card_count(t, 0, setting, -1, true).out;
    char words[160];
    bool said = false;
    snprintf(words, sizeof words, "Cells out of reach beside the built-in encodings (%.80s)",
             t->setting.name[setting]);
    append_words(d->out, MARGIN, y + 14, " font-weight=\"bold\"", words);
    y += LINE + 6;
    for (int k = 0; k < t->encoding.count; k++) {
        int encoding = k < t->encoding.count - 1 ? t->order[k] : -1;
        if (!said && (encoding < 0 || card_count(t, encoding, setting, -1, true).out <= own)) {
            y = append_bar(d, 0, setting, t->encoding.name[0], y);
            said = true;
        }
        if (encoding >= 0 && card_has(t, encoding, setting))
            y = append_bar(d, encoding, setting, t->encoding.name[encoding], y);
    }
    return y + GAP;
}

void card_svg(struct text *out, const struct card *c)
{
    struct text body = {0};
    struct drawing d = {.out = &body, .table = &c->table};
    int y = append_legend(&d, append_blocks(&d, TOP + 8));
    if (c->others)
        y = append_others(&d, y);
    text_append_format(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "
                       "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                       "font-family=\"sans-serif\" font-size=\"14\">\n", WIDTH, y, WIDTH, y);
    text_append_format(out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, y);
    text_append_format(&body, "<text x=\"%d\" y=\"24\" font-size=\"17\" font-weight=\"bold\">", MARGIN);
    html_escape(&body, c->title);
    text_append_format(&body, ", at length %s</text>\n", c->table.length.name[c->table.own_length]);
    text_append(out, body.data ? body.data : "");
    text_append(out, "</svg>\n");
    out->failed |= body.failed;
    text_close(&body);
}
