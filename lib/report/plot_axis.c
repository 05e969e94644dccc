/* Ranges and tics.  Invariant: a range is finite and not empty, and has two tics or more. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/plot.h"

enum { TIC_GAP = 10, LETTER = 7, LINE = 14 }; /* pixels: between labels of tics; of one */
enum { SIZES_MAX = 8 };               /* tics at each of the sizes that are there */
#define LARGEST 1e300
#define MARGIN 0.04 /* of the axis, on either side */

bool plot_is_log(const struct plot_axis *a)
{
    return a->scale == PLOT_LOG || a->scale == PLOT_SIZES;
}

/* ---- what is on an axis -----------------------------------------------------------------------*/
struct extent {
    double low, high;
};

static void include(struct extent *x, const struct plot_axis *a, double value)
{
    if (!isfinite(value) || (plot_is_log(a) && value <= a->smallest))
        return;
    x->low = fmin(x->low, fmax(value, -LARGEST));
    x->high = fmax(x->high, fmin(value, LARGEST));
}

/* In units in which the axis is even. */
static double even(const struct plot_axis *a, double value) { return plot_is_log(a) ? log10(value) : value; }
static double uneven(const struct plot_axis *a, double value) { return plot_is_log(a) ? pow(10, value) : value; }

/* A little more than what is drawn; nothing, or one value, has room around it. */
static void frame(struct plot_range *r, const struct plot_axis *a, struct extent x, bool margin)
{
    if (x.low > x.high)
        x = (struct extent){1, 1};
    double low = even(a, x.low), high = even(a, x.high), more = MARGIN * (high - low);
    double largest = fmax(fabs(low), fabs(high));
    if (plot_is_log(a))
        more = fmax(more, high - low < 0.01 ? 0.3 : 0.08);
    else if (high - low < 1e-3 * largest || largest == 0)
        more = a->scale == PLOT_WHOLE || largest == 0 ? 1 : 0.1 * largest;
    else if (!margin)
        more = 0;
    r->low = uneven(a, low - more);
    r->high = uneven(a, high + more);
}

/* ---- tics -------------------------------------------------------------------------------------*/
void plot_tic_text(char out[PLOT_TIC_TEXT], double tic)
{
    char number[TEXT_NUMBER_MAX];
    double size = fabs(tic);
    int ten = size >= 1e6 || (size > 0 && size < 1e-3) ? (int)floor(log10(size) + 1e-9) : 0;
    text_from_double(number, ten ? tic / pow(10, ten) : tic, 6);
    if (ten)
        snprintf(out, PLOT_TIC_TEXT, "%.12se%d", number, ten);
    else
        snprintf(out, PLOT_TIC_TEXT, "%.20s", number);
}

static void add_tic(struct plot_range *r, double tic)
{
    double slack = 1e-9 * (r->high - r->low);
    if (tic >= r->low - slack && tic <= r->high + slack && r->tics < PLOT_TICS_MAX)
        r->tic[r->tics++] = fabs(tic) < slack ? 0 : tic;
}

/* The largest of 1, 2 and 5 times powers of ten that is not above x. */
static double round_step(double x)
{
    double power = pow(10, floor(log10(x) + 1e-9)), times = x / power + 1e-9;
    return power * (times < 2 ? 1 : times < 5 ? 2 : 5);
}

/* At most `most` of them, but two. */
static void tics_even(struct plot_range *r, int most, bool whole)
{
    double wanted = (r->high - r->low) / (most > 2 ? most : 2), step = round_step(wanted);
    if (step < wanted)
        step = round_step(2.5 * step);
    for (step = whole ? fmax(step, 1) : step, r->tics = 0; r->tics < 2; step = round_step(step / 2)) {
        r->tics = 0;
        for (double k = ceil(r->low / step - 1e-9); k * step <= r->high + 1e-9 * step &&
                                                    r->tics < PLOT_TICS_MAX; k++)
            add_tic(r, k * step);
    }
}

/* Powers of ten; between them 2 and 5 where these are few; where even so there is but one, even
 * ones. */
static void tics_log(struct plot_range *r, int most)
{
    static const int times[] = {1, 2, 5};
    int first = (int)floor(log10(r->low)), last = (int)ceil(log10(r->high));
    int skip = 1 + (last - first) / (most > 2 ? most : 2);
    int inner = 3 * (last - first) <= most + 3 ? 3 : 1;
    r->tics = 0;
    for (int ten = first; ten <= last; ten++)
        for (int k = 0; k < inner; k++)
            if (ten % skip == 0)
                add_tic(r, times[k] * pow(10, ten));
    if (r->tics < 2 && inner == 1)
        for (r->tics = 0; first <= last; first++)
            for (int k = 0; k < 3; k++)
                add_tic(r, times[k] * pow(10, first));
    if (r->tics < 2)
        tics_even(r, most, false);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* false where there are too many, or one. */
static bool tics_sizes(struct plot_range *r, const struct plot_panel *p)
{
    r->tics = 0;
    for (int s = 0; s < p->count; s++)
        for (int k = 0; k < p->series[s].points; k++) {
            double at = p->series[s].point[k].at;
            int m = 0;
            while (m < r->tics && r->tic[m] != at)
                m++;
            if (m == r->tics && m == SIZES_MAX)
                return false;
            if (m == r->tics)
                add_tic(r, at);
        }
    qsort(r->tic, (size_t)r->tics, sizeof *r->tic, compare);
    return r->tics > 1;
}

/* Leaves out tics whose labels would touch the one before. */
static void thin(struct plot_range *r, const struct plot_axis *a, int pixels)
{
    double low = even(a, r->low), scale = pixels / (even(a, r->high) - low), end = -INFINITY;
    int kept = 0;
    for (int k = 0; k < r->tics; k++) {
        char text[PLOT_TIC_TEXT];
        plot_tic_text(text, r->tic[k]);
        double half = LETTER * strlen(text) / 2.0, place = scale * (even(a, r->tic[k]) - low);
        if (place - half < end)
            continue;
        end = place + half + TIC_GAP;
        r->tic[kept++] = r->tic[k];
    }
    r->tics = kept;
}

/* aside: labels are side by side, else one below the other. */
static void find_tics(struct plot_range *r, const struct plot_axis *a, const struct plot_panel *p,
                      int pixels, bool aside)
{
    int most = pixels / (aside ? 5 * LETTER + TIC_GAP : LINE + TIC_GAP);
    bool sizes = a->scale == PLOT_SIZES && tics_sizes(r, p);
    if (!sizes && plot_is_log(a))
        tics_log(r, most);
    else if (!sizes)
        tics_even(r, most, a->scale == PLOT_WHOLE);
    if (aside)
        thin(r, a, pixels);
    if (r->tics < 2) {
        tics_even(r, 2, false);
        thin(r, a, pixels);
    }
    if (r->tics < 2) {
        r->tic[0] = r->low;
        r->tic[1] = r->high;
        r->tics = 2;
    }
}

/* A matrix fills its frame. */
static bool frame_heat(struct plot_range *r, int first, int count)
{
    r->low = first - 0.5;
    r->high = first + count - 0.5;
    return count > 0;
}

void plot_range_along(struct plot_range *r, const struct plot_panel *p, int pixels)
{
    struct extent x = {INFINITY, -INFINITY};
    for (int s = 0; s < p->count; s++)
        for (int k = 0; k < p->series[s].points; k++)
            include(&x, &p->along, p->series[s].point[k].at);
    if (!frame_heat(r, p->heat.left, p->heat.columns))
        frame(r, &p->along, x, false);
    find_tics(r, &p->along, p, pixels, true);
}

/* The lower ends of bars may leave a logarithmic axis. */
static void include_values(struct extent *x, const struct plot_panel *p)
{
    for (int s = 0; s < p->count; s++)
        for (int k = 0; k < p->series[s].points && !(p->series[s].marks & PLOT_ASIDE); k++) {
            const struct plot_point *point = &p->series[s].point[k];
            include(x, &p->value, point->value);
            include(x, &p->value, point->high);
            if (p->series[s].marks & PLOT_PALE)
                include(x, &p->value, point->pale_high);
            if (!plot_is_log(&p->value) || p->series[s].marks & PLOT_BAND)
                include(x, &p->value, point->low);
            if (p->series[s].marks & PLOT_BELOW) /* wide enough to be seen */
                include(x, &p->value, point->value / 10);
        }
    if (p->value.zero)
        include(x, &p->value, 0);
}

void plot_range_value(struct plot_range *r, const struct plot_panel *p, int pixels,
                      const struct plot_panel *panel, int panels)
{
    struct extent x = {INFINITY, -INFINITY};
    for (int k = 0; k < panels; k++)
        if (strcmp(panel[k].value.label, p->value.label) == 0)
            include_values(&x, &panel[k]);
    if (!panels)
        include_values(&x, p);
    if (!frame_heat(r, p->heat.top, p->heat.rows))
        frame(r, &p->value, x, true);
    find_tics(r, &p->value, p, pixels, panels > 0);
}
