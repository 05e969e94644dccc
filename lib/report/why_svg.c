/* An explanation as a picture: a row of tokens, a row for each round in its colours, the targets, and
 * below them what follows.  No script, no font but the reader's own. */
#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/listing.h"
#include "report/why.h"

enum { BOX = 54, ROW = 40, LEFT = 100, TOP = 46, LINE = 20, GAP = 24, LABEL_SIZE = 16, CAPTION = 80 };

static const char *const fills[] = {"#e69f00", "#56b4e9", "#009e73", "#f0e442",
                                    "#cc79a7", "#d55e00", "#0072b2", "#999999"};

static void append_label(struct text *out, int x, int y, const char *anchor, const char *s)
{
    text_append_format(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y, anchor);
    html_escape(out, s);
    text_append(out, "</text>\n");
}

static int same_colour(const struct why *w, const int32_t *colour, int row)
{
    int count = 0;
    for (int r = 0; r < w->rounds->rows; r++)
        count += colour[r] == colour[row];
    return count;
}

/* A row of boxes, filled where a colour is shared. */
static void append_boxes(struct text *out, const struct why *w, int sample, int round, int y)
{
    const int32_t *colour = w->rounds->colour + (size_t)round * (size_t)w->rounds->rows;
    for (int r = w->first[sample]; r < w->first[sample + 1]; r++) {
        int x = LEFT + (r - w->first[sample]) * BOX;
        bool shared = same_colour(w, colour, r) > 1;
        char name[LABEL_SIZE];
        snprintf(name, sizeof name, colour[r] < 26 ? "%c" : "c%d",
                 colour[r] < 26 ? 'a' + (int)colour[r] : (int)colour[r]);
        text_append_format(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" "
                           "stroke=\"#333\"/>\n", x + 3, y, BOX - 6, ROW - 10,
                           shared ? fills[(size_t)colour[r] % (sizeof fills / sizeof *fills)]
                                  : "#fff");
        append_label(out, x + BOX / 2, y + 20, "middle", name);
    }
}

/* sin(pi) is shown as 0. */
static double shown(double value)
{
    return fabs(value) < 1e-12 ? 0 : value;
}

/* Figures above or below the boxes: tokens, or targets, in the channel that differs most. */
static void append_figures(struct text *out, const struct why *w, int sample, bool targets, int y)
{
    const double *value = targets ? w->y : w->x;
    const int32_t *symbol = targets ? w->label : w->token;
    for (int r = w->first[sample]; r < w->first[sample + 1]; r++) {
        char name[LABEL_SIZE];
        if (w->channels)
            snprintf(name, sizeof name, "%.3g",
                     shown(value[(size_t)r * (size_t)w->channels + (size_t)w->channel]));
        else
            snprintf(name, sizeof name, "%d", (int)symbol[r]);
        append_label(out, LEFT + (r - w->first[sample]) * BOX + BOX / 2, y, "middle", name);
    }
}

static int append_sample(struct text *out, const struct why *w, int sample, int y)
{
    char name[64];
    append_label(out, LEFT - 10, y + 14, "end", "token");
    append_figures(out, w, sample, false, y + 14);
    y += 24;
    for (int k = 0; k <= w->rounds->rounds; k++, y += ROW) {
        snprintf(name, sizeof name, k ? "layer %d" : "embedding", k);
        append_label(out, LEFT - 10, y + 20, "end", name);
        append_boxes(out, w, sample, k, y);
    }
    append_label(out, LEFT - 10, y + 14, "end", "target");
    append_figures(out, w, sample, true, y + 14);
    return y + 14 + GAP;
}

static const char *rule_line(const struct why *w, int line)
{
    static const char *const words[][2] = {
        [FLOOR_ALONE] = {"", ""},
        [FLOOR_EQUAL] = {"Equal colours see the same colours at the same relations,",
                         "equally often: attention gives them one result."},
        [FLOOR_MULTIPLE] = {"Equal colours see the same in the same proportions,",
                            "and the normaliser divides a common factor out."},
        [FLOOR_FACTOR] = {"The summed weights of all that is seen differ by a common factor,",
                          "whatever the bias, and the normaliser divides it out."},
        [FLOOR_ONE] = {"Each sees one colour only, and the weights of a row have one sum:",
                       "attention returns that colour's value, whatever the weights are."}};
    enum floor_rule rule = FLOOR_ALONE;
    for (int r = 0; r < w->rounds->rows; r++)
        if (w->member[r] && w->rounds->rule[r] > rule)
            rule = w->rounds->rule[r];
    return words[rule][line];
}

static void append_captions(struct text *out, const struct why *w, int y)
{
    char line[160];
    append_label(out, 12, y, "start", rule_line(w, 0));
    append_label(out, 12, y + LINE, "start", rule_line(w, 1));
    if (w->channels)
        snprintf(line, sizeof line, "One answer for %d different targets: at best their mean, %.4g.",
                 w->members, shown(w->mean));
    else
        snprintf(line, sizeof line, "One answer for %d targets: at best the label %d, right in %d.",
                 w->members, (int)w->commonest, w->commonest_members);
    append_label(out, 12, y + 2 * LINE, "start", line);
    const struct record *r = &w->floors;
    const char *deep = w->depth ? "depth_" : "";
    double rms = w->depth ? r->depth_floor_rms : r->floor_rms, rel = w->depth ? r->depth_floor_rel : r->floor_rel;
    if (!w->channels)
        snprintf(line, sizeof line, "%saccuracy_ceiling %.4g: %s", deep,
                 w->depth ? r->depth_accuracy_ceiling : r->accuracy_ceiling, r->verdict);
    else if (isnan(rel))
        snprintf(line, sizeof line, "%sfloor_rms %.4g: %s", deep, rms, r->verdict);
    else
        snprintf(line, sizeof line, "%sfloor_rms %.4g, %sfloor_rel %.4g: %s", deep, rms, deep, rel, r->verdict);
    append_label(out, 12, y + 3 * LINE, "start", line);
}

void why_svg(struct text *out, const struct why *w)
{
    struct text body = {0};
    int longest = 0, y = TOP;
    for (int k = 0; k < w->samples; k++) {
        int n = w->first[k + 1] - w->first[k];
        longest = n > longest ? n : longest;
        y = append_sample(&body, w, k, y);
    }
    append_captions(&body, w, y + 4);
    int width = LEFT + longest * BOX + 12, height = y + CAPTION;
    width = width < 520 ? 520 : width;
    text_append_format(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "
                       "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                       "height=\"%d\" font-family=\"sans-serif\" font-size=\"14\">\n", width, height,
                       width, height);
    text_append_format(out, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height);
    text_append(out, "<text x=\"12\" y=\"24\" font-weight=\"bold\">");
    html_escape(out, w->target);
    text_append(out, ": what is equal in every network ");
    if (w->depth)
        text_append_format(out, "of %d layer%s ", w->depth, w->depth == 1 ? "" : "s");
    text_append(out, "with ");
    html_escape(out, w->encoding);
    text_append(out, ", ");
    html_escape(out, w->attention);
    text_append(out, "</text>\n");
    text_append(out, body.data ? body.data : "");
    text_append(out, "</svg>\n");
    out->failed |= body.failed;
    text_close(&body);
}
