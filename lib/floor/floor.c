/* Floors from merged pairs (floor.h).  A network gives one output to a whole group, so it can do no
 * better there than the best constant: the mean for squared error, the middle for the largest
 * error, the commonest label for accuracy, the label frequencies for cross-entropy. */
#include "floor/floor.h"

#include <math.h>
#include <string.h>

#include "floor/sort.h"

static bool in_mask(const unsigned char *mask, int row)
{
    return !mask || mask[row];
}

/* ---- continuous targets -----------------------------------------------------------------------*/
/* Of one channel, the members of a group that are in the mask: how many, the first one's value, and
 * the sum, least and greatest of the differences from it. */
struct spread {
    int members;
    double first, sum, least, greatest;
};

/* spread (groups) is filled; y: the channel's value in row 0, rows are `stride` apart. */
static void spread_channel(struct spread *spread, const int32_t *group, int groups, int rows,
                           const double *y, int stride, const unsigned char *mask)
{
    memset(spread, 0, (size_t)groups * sizeof *spread);
    for (int row = 0; row < rows; row++, y += stride) {
        struct spread *s = &spread[group[row]];
        if (!in_mask(mask, row))
            continue;
        if (!s->members++)
            s->first = *y;
        double d = *y - s->first;
        s->sum += d;
        s->least = fmin(s->least, d);
        s->greatest = fmax(s->greatest, d);
    }
}

/* Fills share (rows) and *sup. */
static int fill_shares(const int32_t *group, int groups, int rows, int channels, const double *y,
                       const unsigned char *mask, double *share, double *sup, struct err *e)
{
    struct spread *spread = memory_alloc((size_t)groups, sizeof *spread, e);
    if (!spread)
        return ERR_MEMORY;
    *sup = 0;
    memset(share, 0, (size_t)rows * sizeof *share);
    for (int c = 0; c < channels; c++) {
        spread_channel(spread, group, groups, rows, y + c, channels, mask);
        for (int g = 0; g < groups; g++)
            *sup = fmax(*sup, (spread[g].greatest - spread[g].least) / 2);
        for (int row = 0; row < rows; row++) {
            const struct spread *s = &spread[group[row]];
            if (!in_mask(mask, row) || s->members < 2)
                continue;
            double d = y[(size_t)row * (size_t)channels + (size_t)c] - s->first;
            double from_mean = d - s->sum / s->members;
            share[row] += from_mean * from_mean / channels;
        }
    }
    memory_free(spread);
    return 0;
}

int floor_shares(const int32_t *group, int groups, int rows, int channels, const double *y,
                 const unsigned char *mask, double *share, struct err *e)
{
    double sup;
    return fill_shares(group, groups, rows, channels, y, mask, share, &sup, e);
}

int floor_continuous(const int32_t *group, int groups, int rows, int channels, const double *y,
                     const unsigned char *mask, struct floor_errors *out, struct err *e)
{
    *out = (struct floor_errors){NAN, NAN, NAN};
    double *share = memory_alloc((size_t)rows, sizeof *share, e);
    if (!share)
        return ERR_MEMORY;
    double sum = 0, sup = 0;
    int pairs = 0;
    int code = fill_shares(group, groups, rows, channels, y, mask, share, &sup, e);
    for (int row = 0; row < rows && !code; row++) {
        pairs += in_mask(mask, row);
        sum += share[row];
    }
    if (!code && pairs)
        *out = (struct floor_errors){.mse = sum / pairs, .rms = sqrt(sum / pairs), .sup = sup};
    memory_free(share);
    return code;
}

/* ---- token targets ----------------------------------------------------------------------------*/
struct label_sums {
    double commonest; /* sum over groups of the largest number of equal labels */
    double entropy;   /* sum over groups and labels of count x ln(|G| / count) */
};

/* item (count): sorted by group, then label. */
static struct label_sums sum_labels(const struct sort_item *item, size_t count)
{
    struct label_sums sums = {0, 0};
    for (size_t at = 0, end; at < count; at = end) {
        for (end = at; end < count && item[end].key >> 32 == item[at].key >> 32;)
            end++;
        size_t most = 0;
        for (size_t from = at, to; from < end; from = to) {
            for (to = from; to < end && item[to].key == item[from].key;)
                to++;
            most = to - from > most ? to - from : most;
            sums.entropy += (double)(to - from) * log((double)(end - at) / (double)(to - from));
        }
        sums.commonest += (double)most;
    }
    return sums;
}

/* Sorts the rows that both masks name and returns how many. */
static size_t sort_labels(const int32_t *group, int rows, const int32_t *label,
                          const unsigned char *mask, const unsigned char *informative,
                          struct sort_item *item)
{
    size_t count = 0;
    for (int row = 0; row < rows; row++)
        if (in_mask(mask, row) && in_mask(informative, row))
            item[count++] = (struct sort_item){
                .key = (uint64_t)group[row] << 32 | (uint32_t)label[row], .row = row};
    sort_items(item, count);
    return count;
}

int floor_tokens(const int32_t *group, int groups, int rows, const int32_t *label,
                 const unsigned char *mask, const unsigned char *informative,
                 struct floor_labels *out, struct err *e)
{
    *out = (struct floor_labels){NAN, NAN, NAN};
    struct sort_item *item = memory_alloc((size_t)rows, sizeof *item, e);
    if (!item)
        return ERR_MEMORY;
    size_t count = sort_labels(group, rows, label, mask, NULL, item);
    struct label_sums sums = sum_labels(item, count);
    if (count) {
        out->accuracy_ceiling = sums.commonest / (double)count;
        out->crossentropy = sums.entropy / (double)count;
    }
    count = sort_labels(group, rows, label, mask, informative, item);
    if (count)
        out->informative_ceiling = sum_labels(item, count).commonest / (double)count;
    memory_free(item);
    return 0;
}
