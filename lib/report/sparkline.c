/* Sparklines of Unicode's eighth blocks.  Invariant: a sparkline has all its points, or is not
 * there. */
#include "report/sparkline.h"

#include <math.h>

#include "report/trace.h"

#define SMALLEST 1e-12 /* what is below it is drawn as if it were it */

int sparkline_read(struct sparkline *s, const struct summary_group *g, struct err *e)
{
    struct trace_file file;
    bool found;
    *s = (struct sparkline){.there = false};
    int code = trace_open(&file, g->row[0], "curve.csv", "step", "error_rel", NULL, &found, e);
    if (code || !found)
        return code;
    int points = file.csv.rows - 1;
    s->there = points > 1;
    for (int k = 0; k < SPARKLINE_POINTS; k++) {
        long row = 1 + lround((double)k * (points - 1) / (SPARKLINE_POINTS - 1));
        double value = trace_number(&file, (int)row, file.y);
        s->there &= isfinite(value) != 0;
        s->value[k] = fmax(value, SMALLEST);
    }
    trace_close(&file);
    return 0;
}

void sparkline_append(struct text *out, const struct sparkline *s, double low, double high)
{
    static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { LEVELS = sizeof block / sizeof *block };
    if (!s->there)
        return;
    for (int k = 0; k < SPARKLINE_POINTS; k++) {
        double share = high > low ? log(s->value[k] / low) / log(high / low) : 0;
        long level = lround(share * (LEVELS - 1));
        text_append(out, block[level < 0 ? 0 : level < LEVELS ? level : LEVELS - 1]);
    }
}
