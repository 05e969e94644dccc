/* Explanations (why.h).  Invariant: text, JSON and picture say the same, from the same figures. */
#include "report/why.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"
#include "report/listing.h"

enum { NAME_COLUMNS = 10, CELL_COLUMNS = 8, DIGITS = 6, LABEL_SIZE = 16, LISTED = 3, LISTED_RELATIONS = 6 };

#define NOTHING 1e-12 /* sin(pi), say, to be shown as 0 */

/* ---- pieces -----------------------------------------------------------------------------------*/
static const int32_t *colours_of(const struct why *w, int round)
{
    return w->rounds->colour + (size_t)round * (size_t)w->rounds->rows;
}

/* Pairs that share the colour of a row. */
static int size_of(const struct why *w, int round, int row)
{
    const int32_t *colour = colours_of(w, round);
    int size = 0;
    for (int r = 0; r < w->rounds->rows; r++)
        size += colour[r] == colour[row];
    return size;
}

/* "a" .. "z", then "c26", "c27". */
static const char *colour_name(char out[LABEL_SIZE], int32_t colour)
{
    if (colour < 26)
        snprintf(out, LABEL_SIZE, "%c", 'a' + (int)colour);
    else
        snprintf(out, LABEL_SIZE, "c%d", (int)colour);
    return out;
}

static const char *number_name(char out[LABEL_SIZE], double value)
{
    snprintf(out, LABEL_SIZE, "%.3g", fabs(value) < NOTHING ? 0 : value);
    return out;
}

/* The token at a row: a symbol, or the channel whose targets are shown. */
static const char *token_name(char out[LABEL_SIZE], const struct why *w, int row)
{
    if (w->channels)
        return number_name(out, w->x[(size_t)row * (size_t)w->channels + (size_t)w->channel]);
    snprintf(out, LABEL_SIZE, "%d", (int)w->token[row]);
    return out;
}

static const char *target_name(char out[LABEL_SIZE], const struct why *w, int row)
{
    if (w->channels)
        return number_name(out, w->y[(size_t)row * (size_t)w->channels + (size_t)w->channel]);
    snprintf(out, LABEL_SIZE, "%d", (int)w->label[row]);
    return out;
}

/* The weakest rule by which a member stays with the group. */
static enum floor_rule rule_of(const struct why *w)
{
    enum floor_rule rule = FLOOR_ALONE;
    for (int r = 0; r < w->rounds->rows; r++)
        if (w->member[r] && w->rounds->rule[r] > rule)
            rule = w->rounds->rule[r];
    return rule;
}

static const char *rule_word(const struct why *w)
{
    static const char *const word[] = {[FLOOR_ALONE] = "alone",
                                       [FLOOR_EQUAL] = "equal",
                                       [FLOOR_MULTIPLE] = "multiples",
                                       [FLOOR_FACTOR] = "a common factor",
                                       [FLOOR_ONE] = "one colour"};
    return word[rule_of(w)];
}

/* alike: members see each colour at the same offsets, and not at some that count as the same. */
static void append_rule(struct text *out, const struct why *w, bool alike)
{
    switch (rule_of(w)) {
    case FLOOR_ONE:
        text_append_format(out, "each sees equal states only%s, which have equal values, and the weights of a row of "
                           "attention%s have one sum, the same in all rows (1, by softmax): the weighted sum of "
                           "equal values is that sum times the value%s. What the encoding adds to the logits moves "
                           "weight from one of them to another, and changes nothing",
                           w->matrix ? ", under one and the same entry of C" : "",
                           w->matrix ? " before C" : "", w->matrix ? " and that entry" : "");
        return;
    case FLOOR_FACTOR:
        text_append(out, "from one to the other the summed weights of all that is seen change by a common factor, "
                         "whatever the encoding's parameters are, and the normaliser divides it out");
        return;
    case FLOOR_MULTIPLE:
        text_append(out, "each sees the same colours at the same relations, in the same proportions, and the "
                         "normaliser divides a common factor out");
        return;
    case FLOOR_EQUAL:
        text_append_format(out, "each sees the same colours at the same relations%s, %s%s, and attention %s",
                           alike ? "" : " (offsets or distances that this class does not tell apart are one)",
                           w->view == FLOOR_ORDERED ? "in the same order" : "equally often",
                           w->matrix ? ", under the same entries of C" : "",
                           w->view == FLOOR_ORDERED ? "is the same function of them" : "adds up the same");
        return;
    default: text_append(out, "each stands alone");
    }
}

/* "positions 1 to 4" where they are in one run, else "positions 1, 4 and 7". */
static void append_members(struct text *out, const struct why *w, int sample)
{
    int first = w->first[sample], last = -1, count = 0, least = -1, at = 0;
    for (int r = first; r < w->first[sample + 1]; r++)
        if (w->member[r]) {
            least = least < 0 ? r - first : least;
            last = r - first;
            count++;
        }
    text_append(out, count == 1 ? "position " : "positions ");
    if (count > 2 && last - least + 1 == count) {
        text_append_format(out, "%d to %d", least + 1, last + 1);
        return;
    }
    for (int r = first; r < w->first[sample + 1]; r++)
        if (w->member[r])
            text_append_format(out, "%s%d", !at++ ? "" : at == count ? " and " : ", ", r - first + 1);
}

static void append_all_members(struct text *out, const struct why *w)
{
    for (int k = 0; k < w->samples; k++) {
        text_append(out, k ? "; " : "");
        append_members(out, w, k);
        text_append_format(out, " of sample %d", w->number[k] + 1);
    }
    if (w->members > w->shown)
        text_append_format(out, "; and %d more in other samples", w->members - w->shown);
}

static int compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* "offsets -2 to 0 and 3", or "distances 1 (2 times) and 2"; value (count), at least one, is sorted. */
static void append_runs(struct text *out, const char *word, int *value, int count)
{
    qsort(value, (size_t)count, sizeof *value, compare_ints);
    text_append_format(out, "%s%s ", word, count > 1 ? "s" : "");
    for (int k = 0, end, pieces = 0; k < count; k = end) {
        for (end = k + 1; end < count && value[end] == value[k];)
            end++;
        int times = end - k, last = k;
        while (times == 1 && end < count && value[end] == value[last] + 1 &&
               (end + 1 == count || value[end + 1] != value[end]))
            last = end++;
        if (last == k + 1)
            last = k, end = k + 1;
        text_append(out, !pieces++ ? "" : end < count && pieces <= LISTED_RELATIONS ? ", " : " and ");
        if (pieces > LISTED_RELATIONS) {
            text_append_format(out, "%d more", count - k);
            return;
        }
        text_append_format(out, "%d", value[k]);
        if (times > 1)
            text_append_format(out, " (%d times)", times);
        else if (last > k)
            text_append_format(out, " to %d", value[last]);
    }
}

/* "at offsets 0 to 2": where a row sees a colour, seen (count) positions of its sample from 0. */
static void append_relations(struct text *out, const struct layout *l, int i, int *seen, int count)
{
    text_append(out, " at ");
    if (l->axes > 1) {
        text_append_format(out, "offset%s ", count > 1 ? "s" : "");
        for (int k = 0; k < count && k < LISTED_RELATIONS; k++)
            text_append_format(out, "%s(%d, %d)", k ? " " : "",
                               layout_coordinate(l, seen[k], 0) - layout_coordinate(l, i, 0),
                               layout_coordinate(l, seen[k], 1) - layout_coordinate(l, i, 1));
        if (count > LISTED_RELATIONS)
            text_append_format(out, " and %d more", count - LISTED_RELATIONS);
        return;
    }
    for (int k = 0; k < count; k++)
        seen[k] = l->axes ? layout_coordinate(l, seen[k], 0) - layout_coordinate(l, i, 0)
                          : (int)l->distance[layout_relation(l, i, seen[k])];
    append_runs(out, l->axes ? "offset" : "distance", seen, count);
}

/* "4 of colour a at offsets 0 to 3", of what a row sees in the last round; by one colour alone relations do
 * not matter. */
static void append_seen(struct text *out, const struct why *w, int sample, int row)
{
    const struct floor_rounds *r = w->rounds;
    const int32_t *colour = colours_of(w, r->rounds - 1), *list = r->seen_row + r->seen_first[row];
    int total = r->seen_first[row + 1] - r->seen_first[row], first = w->first[sample];
    int seen[WHY_ROWS];
    char name[LABEL_SIZE];
    const char *before = "";
    for (int c = 0; c < r->colours; c++) {
        int count = 0;
        for (int k = 0; k < total; k++)
            if (colour[list[k]] == c)
                seen[count++] = list[k] - first;
        if (!count)
            continue;
        text_append_format(out, "%s%d of colour %s", before, count, colour_name(name, c));
        if (rule_of(w) != FLOOR_ONE)
            append_relations(out, w->layout[sample], row - first, seen, count);
        before = ", ";
    }
    text_append(out, *before ? "" : "nothing");
}

static void append_number(struct text *out, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append(out, text_from_double(number, fabs(value) < NOTHING ? 0 : value, DIGITS));
}

/* What the cell's own depth adds, where it adds something. */
static void append_depth(struct text *out, const struct why *w)
{
    const struct record *r = &w->floors;
    bool labels = w->channels == 0, bites = labels ? r->depth_accuracy_ceiling < r->accuracy_ceiling
                                                   : r->depth_floor_rms > r->floor_rms;
    if (!bites || w->depth)
        return;
    text_append_format(out, ". Networks of %d layer%s tell fewer pairs apart, those of the first %d "
                       "round%s: for them %s is ", w->layers, w->layers == 1 ? "" : "s", w->layers,
                       w->layers == 1 ? "" : "s",
                       labels ? "depth_accuracy_ceiling" : "depth_floor_rms");
    append_number(out, labels ? r->depth_accuracy_ceiling : r->depth_floor_rms);
}

/* The pairs of the subset, and which of them contribute. */
static void append_pairs(struct text *out, const struct why *w, const char *others)
{
    text_append_format(out, "Over the %d pairs of the inputs '%s', ", w->pairs, w->floors.subset);
    if (w->merged == w->pairs)
        text_append_format(out, "all of them in %d group%s of several, ", w->groups, w->groups == 1 ? "" : "s");
    else
        text_append_format(out, "of which %d are in %d group%s of several and the others %s, ", w->merged, w->groups,
                           w->groups == 1 ? "" : "s", others);
}

static void append_numbers(struct text *out, const struct why *w)
{
    const struct record *r = &w->floors;
    const char *deep = w->depth ? "depth_" : "";
    double rms = w->depth ? r->depth_floor_rms : r->floor_rms, rel = w->depth ? r->depth_floor_rel : r->floor_rel;
    text_append_format(out, "The %d pairs of the group get one answer, and ", w->members);
    if (w->square > 0) {
        text_append_format(out, "the one with the least square error is the mean of their targets (in channel %d, "
                           "which is shown, ", w->channel + 1);
        append_number(out, w->mean);
        text_append(out, "); the mean square about it, over all channels, is ");
        append_number(out, w->square);
        text_append_format(out, ", so these pairs contribute %d x that. ", w->members);
    } else {
        text_append_format(out, "have one target, so they contribute 0%s. ",
                           rms > 0 ? ": the floor is of other groups" : "");
    }
    append_pairs(out, w, "contribute 0");
    text_append_format(out, "the mean of all squares is %sfloor_rms^2 = ", deep);
    append_number(out, rms * rms);
    text_append_format(out, ": %sfloor_rms = ", deep);
    append_number(out, rms);
    if (!(rel > 0))
        return;
    text_append(out, ". The best constant answer has the error ");
    append_number(out, w->deviation);
    text_append_format(out, " there, so as a share of that %sfloor_rel = ", deep);
    append_number(out, rel);
}

static void append_labels(struct text *out, const struct why *w)
{
    text_append_format(out, "The %d pairs of the group get one answer, and the best is their "
                       "commonest label, %d, which is right in %d of them. ", w->members, (int)w->commonest,
                       w->commonest_members);
    append_pairs(out, w, "may be right");
    text_append_format(out, "the best answers are right in a share of %saccuracy_ceiling = ", w->depth ? "depth_" : "");
    append_number(out, w->depth ? w->floors.depth_accuracy_ceiling : w->floors.accuracy_ceiling);
}

/* From the group to the floor and the verdict. */
static void append_arithmetic(struct text *out, const struct why *w)
{
    bool impossible = strcmp(w->floors.verdict, "impossible") == 0;
    bool beyond = impossible || (w->depth && strcmp(w->floors.verdict, "too-shallow") == 0);
    (w->channels ? append_numbers : append_labels)(out, w);
    text_append(out, w->channels ? beyond ? ", above" : ", within" : beyond ? "; the share of wrong ones is above"
                                                                            : "; the share of wrong ones is within");
    text_append(out, " the tolerance of ");
    append_number(out, w->tolerance);
    append_depth(out, w);
    text_append_format(out, ": %s", w->floors.verdict);
}

/* ---- words ------------------------------------------------------------------------------------*/
static const int shades[] = {214, 75, 114, 177, 221, 110, 203, 151}; /* of a terminal's 256 */

typedef const char *(*name_of_row)(char out[LABEL_SIZE], const struct why *w, int row);

/* A line over the positions from..to of a sample; with a round, in its colours. */
static void append_line(struct text *out, const struct why *w, const char *name, int from, int to,
                        name_of_row label, int round, bool colour)
{
    char text[LABEL_SIZE];
    text_append_format(out, "  %-*s", NAME_COLUMNS, name);
    for (int r = from; r < to; r++) {
        int32_t c = round < 0 ? 0 : colours_of(w, round)[r];
        bool shade = colour && round >= 0 && size_of(w, round, r) > 1;
        if (shade)
            text_append_format(out, "\x1b[30;48;5;%dm",
                               shades[(size_t)c % (sizeof shades / sizeof *shades)]);
        text_append_format(out, "%*s", CELL_COLUMNS,
                           label ? label(text, w, r) : colour_name(text, c));
        text_append(out, shade ? PAINT_OFF : "");
    }
    text_append(out, "\n");
}

static void append_strip(struct text *out, const struct why *w, int sample,
                         const struct report_screen *screen)
{
    int fit = (screen->width - NAME_COLUMNS - 2) / CELL_COLUMNS, end = w->first[sample + 1];
    for (int from = w->first[sample], to; from < end; from = to) {
        char name[32];
        to = from + fit < end ? from + fit : end;
        text_append_format(out, "  %-*s", NAME_COLUMNS, "position");
        for (int r = from; r < to; r++)
            text_append_format(out, "%*d", CELL_COLUMNS, r - w->first[sample] + 1);
        text_append(out, "\n");
        append_line(out, w, "token", from, to, token_name, -1, false);
        for (int k = 0; k <= w->rounds->rounds; k++) {
            snprintf(name, sizeof name, "round %d", k);
            append_line(out, w, name, from, to, NULL, k, screen->colour);
        }
        append_line(out, w, "target", from, to, target_name, -1, false);
        text_append(out, "\n");
    }
}

static void append_said(struct text *out, struct text *said, int width)
{
    append_paragraph(out, said, width);
    text_append(out, "\n");
    text_clear(said);
}

/* Of the first members, or of all at once where all that are shown see the same.  Returns whether they do. */
static bool append_views(struct text *out, const struct why *w)
{
    struct text first = {0}, own = {0};
    int listed = 0;
    bool alike = true;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < w->samples; k++)
            for (int r = w->first[k]; r < w->first[k + 1] && (!pass || listed < LISTED); r++) {
                if (!w->member[r])
                    continue;
                text_clear(&own);
                append_seen(first.length ? &own : &first, w, k, r);
                alike = alike && (!own.length || strcmp(first.data, own.data) == 0);
                if (!pass || alike)
                    continue;
                text_append_format(out, "%sposition %d of sample %d sees %s", listed++ ? "; " : "",
                                   r - w->first[k] + 1, w->number[k] + 1, own.data);
            }
    if (alike)
        text_append_format(out, "each of them sees %s", first.data);
    else if (w->shown > listed)
        text_append(out, "; and so on");
    out->failed |= first.failed || own.failed;
    text_close(&first);
    text_close(&own);
    return alike;
}

void why_text(struct text *out, const struct why *w, const struct report_screen *screen)
{
    struct text said = {0};
    text_append_format(&said, "Cell %s: target %s, %s; encoding %s, attention %s; inputs '%s'%s%s.", w->cell,
                       w->target, w->formula, w->encoding, w->attention, w->floors.subset, *w->inputs ? ": " : "",
                       w->inputs);
    append_said(out, &said, screen->width);
    if (w->members < 2) {
        if (w->sample)
            text_append_format(&said, "No pair (sample, position) of sample %d has to get the output of another: it "
                               "adds nothing to a floor.", w->sample);
        else
            text_append(&said, "No two pairs (sample, position) of these inputs that have different targets have to "
                               "get equal outputs: the floor is 0, and nothing is proved impossible.");
        append_said(out, &said, screen->width);
        text_close(&said);
        return;
    }
    if (w->depth)
        text_append_format(&said, "No network with this encoding and attention and with %d layer%s, of whatever "
                           "width and weights, tells these pairs (sample, position) "
                           "apart in exact arithmetic: ", w->depth,
                           w->depth == 1 ? "" : "s");
    else
        text_append(&said, "No network with this encoding and attention, of whatever depth, width and weights, tells "
                           "these pairs (sample, position) apart in exact arithmetic: ");
    append_all_members(&said, w);
    text_append(&said, ".");
    append_said(out, &said, screen->width);
    for (int k = 0; k < w->samples; k++)
        append_strip(out, w, k, screen);
    text_append_format(&said, "Positions have one colour (a letter) while every such network gives them one state. "
                       "Round 0, before the first layer: a position is its token%s. Round k, after layer k: two "
                       "positions of one colour keep it together if attention must give both the same result, "
                       "whatever its weights. The residual stream, norms and the feed-forward network act on each "
                       "position alone, so what is equal stays equal. ",
                       w->marked ? " and its place, which this class is told" : "");
    if (w->rounds->rounds == w->depth)
        text_append_format(&said, "After round %d a network of %d layer%s ends; deeper ones may tell more apart.",
                           w->rounds->rounds, w->depth, w->depth == 1 ? "" : "s");
    else
        text_append_format(&said, "Round %d splits no colour, so the next would look at the same again: no further "
                           "layer tells more apart.", w->rounds->rounds);
    append_said(out, &said, screen->width);
    text_append_format(&said, "Why they stay together (%s): in the colours of round %d, ", rule_word(w),
                       w->rounds->rounds - 1);
    bool alike = append_views(&said, w);
    text_append(&said, ". So ");
    append_rule(&said, w, alike);
    text_append(&said, ".");
    append_said(out, &said, screen->width);
    append_arithmetic(&said, w);
    text_append(&said, ".");
    append_said(out, &said, screen->width);
    out->failed |= said.failed;
    text_close(&said);
}

/* ---- JSON -------------------------------------------------------------------------------------*/
static void json_number(struct text *out, const char *name, double value)
{
    char number[TEXT_NUMBER_MAX];
    text_append_format(out, ", \"%s\": %s", name,
                       isfinite(value) ? text_from_double_short(number, value) : "null");
}

static void json_list(struct text *out, const char *name, const struct why *w, int sample,
                      void (*item)(struct text *out, const struct why *w, int row, int round), int round)
{
    text_append_format(out, "%s\"%s\": [", *name ? ", " : "", name);
    for (int r = w->first[sample]; r < w->first[sample + 1]; r++) {
        text_append(out, r > w->first[sample] ? ", " : "");
        item(out, w, r, round);
    }
    text_append(out, "]");
}

static void json_value(struct text *out, const struct why *w, const double *value, int32_t symbol,
                       int row)
{
    char number[TEXT_NUMBER_MAX];
    if (!w->channels)
        text_append_format(out, "%d", (int)symbol);
    for (int c = 0; c < w->channels; c++)
        text_append_format(out, "%s%s", c ? ", " : "[",
                           text_from_double_short(number, value[(size_t)row * (size_t)w->channels +
                                                                (size_t)c]));
    text_append(out, w->channels ? "]" : "");
}

static void item_token(struct text *out, const struct why *w, int row, int round)
{
    json_value(out, w, w->x, w->channels ? 0 : w->token[row], row);
}

static void item_target(struct text *out, const struct why *w, int row, int round)
{
    json_value(out, w, w->y, w->channels ? 0 : w->label[row], row);
}

static void item_member(struct text *out, const struct why *w, int row, int round)
{
    text_append(out, w->member[row] ? "true" : "false");
}

static void item_colour(struct text *out, const struct why *w, int row, int round)
{
    text_append_format(out, "%d", (int)colours_of(w, round)[row]);
}

static void json_sample(struct text *out, const struct why *w, int sample)
{
    text_append_format(out, "%s{\"sample\": %d", sample ? ", " : "", w->number[sample] + 1);
    json_list(out, "tokens", w, sample, item_token, 0);
    json_list(out, "targets", w, sample, item_target, 0);
    json_list(out, "group", w, sample, item_member, 0);
    text_append(out, ", \"rounds\": [");
    for (int k = 0; k <= w->rounds->rounds; k++) {
        text_append(out, k ? ", [" : "[");
        for (int r = w->first[sample]; r < w->first[sample + 1]; r++) {
            text_append(out, r > w->first[sample] ? ", " : "");
            item_colour(out, w, r, k);
        }
        text_append(out, "]");
    }
    text_append(out, "]}");
}

void why_json(struct text *out, const struct why *w)
{
    text_append_format(out, "{\"cell\": \"%s\", \"target\": \"%s\", \"encoding\": \"%s\", "
                       "\"attention\": \"%s\", \"subset\": \"%s\", \"rule\": \"%s\", \"members\": %d, "
                       "\"samples\": [", w->cell, w->target, w->encoding, w->attention,
                       w->floors.subset, rule_word(w), w->members);
    for (int k = 0; k < w->samples; k++)
        json_sample(out, w, k);
    text_append(out, "]");
    if (w->channels) {
        text_append_format(out, ", \"channel\": %d", w->channel + 1);
        json_number(out, "mean", w->mean);
        json_number(out, "mean_square", w->square);
        json_number(out, "sup", w->sup);
    } else {
        text_append_format(out, ", \"commonest\": %d, \"commonest_members\": %d", (int)w->commonest,
                           w->commonest_members);
    }
    if (w->depth)
        text_append_format(out, ", \"depth\": %d", w->depth);
    text_append_format(out, ", \"pairs\": %d, \"merged_pairs\": %d, \"merged_groups\": %d", w->pairs,
                       w->merged, w->groups);
    json_number(out, "floor_rms", w->floors.floor_rms);
    json_number(out, "floor_rel", w->floors.floor_rel);
    json_number(out, "floor_sup", w->floors.floor_sup);
    json_number(out, "accuracy_ceiling", w->floors.accuracy_ceiling);
    json_number(out, "depth_floor_rms", w->floors.depth_floor_rms);
    json_number(out, "depth_floor_rel", w->floors.depth_floor_rel);
    json_number(out, "depth_floor_sup", w->floors.depth_floor_sup);
    json_number(out, "depth_accuracy_ceiling", w->floors.depth_accuracy_ceiling);
    json_number(out, "tolerance", w->tolerance);
    text_append_format(out, ", \"verdict\": \"%s\"}\n", w->floors.verdict);
}
