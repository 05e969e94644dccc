/* Floors from merged pairs (floor.h).  A network gives one output to a whole group, so it can do no
 * better there than the best constant: the mean for squared error, the middle for the largest
 * error, the commonest label for accuracy, the label frequencies for cross-entropy. */
#include "theory/floor.h"

#include <math.h>

#include "base/memory.h"
#include "theory/sort.h"

void floor_class_of(const struct model_config *c, const struct layout *trained,
                    struct floor_class *out)
{
    bool causal = c->mask == MODEL_MASK_CAUSAL;
    *out = (struct floor_class){.encoding = c->encoding,
                                .c = c->c,
                                .urpe = c->attention == MODEL_URPE,
                                .causal = causal,
                                .shape = {.width = (int)c->width,
                                          .heads = (int)c->heads,
                                          .head_width = (int)(c->width / c->heads),
                                          .causal = causal,
                                          .trained = trained}};
}

static bool in_mask(const unsigned char *mask, int row)
{
    return !mask || mask[row];
}

/* ---- continuous targets -----------------------------------------------------------------------*/
/* One channel at a time: per group the first member's value and the sum, least and greatest of
 * the members' differences from it. */
struct spread {
    int32_t *members; /* (groups) in the mask */
    double *first, *sum, *least, *greatest; /* (groups) */
};

static int spread_open(struct spread *s, const int32_t *group, int groups, int rows,
                       const unsigned char *mask, struct err *e)
{
    size_t count = (size_t)groups;
    *s = (struct spread){.members = memory_alloc(count, sizeof *s->members, e),
                         .first = memory_alloc(count, sizeof *s->first, e),
                         .sum = memory_alloc(count, sizeof *s->sum, e),
                         .least = memory_alloc(count, sizeof *s->least, e),
                         .greatest = memory_alloc(count, sizeof *s->greatest, e)};
    if (!s->members || !s->first || !s->sum || !s->least || !s->greatest)
        return ERR_MEMORY;
    for (int row = 0; row < rows; row++)
        s->members[group[row]] += in_mask(mask, row);
    return 0;
}

static void spread_close(struct spread *s)
{
    memory_free(s->members);
    memory_free(s->first);
    memory_free(s->sum);
    memory_free(s->least);
    memory_free(s->greatest);
}

/* y: the channel's value in row 0; rows are `stride` apart. */
static void spread_channel(struct spread *s, const int32_t *group, int groups, int rows,
                           const double *y, int stride, const unsigned char *mask)
{
    for (int g = 0; g < groups; g++)
        s->sum[g] = s->least[g] = s->greatest[g] = 0;
    for (int row = rows; row-- > 0;) /* backwards: the first member's value stays */
        if (in_mask(mask, row))
            s->first[group[row]] = y[(size_t)row * (size_t)stride];
    for (int row = 0; row < rows; row++) {
        if (!in_mask(mask, row))
            continue;
        int32_t g = group[row];
        double d = y[(size_t)row * (size_t)stride] - s->first[g];
        s->sum[g] += d;
        s->least[g] = fmin(s->least[g], d);
        s->greatest[g] = fmax(s->greatest[g], d);
    }
}

/* Fills share (rows) and *sup. */
static int spread_shares(const int32_t *group, int groups, int rows, int channels, const double *y,
                         const unsigned char *mask, double *share, double *sup, struct err *e)
{
    struct spread s;
    int code = spread_open(&s, group, groups, rows, mask, e);
    if (code)
        goto out;
    *sup = 0;
    for (int row = 0; row < rows; row++)
        share[row] = 0;
    for (int c = 0; c < channels; c++) {
        spread_channel(&s, group, groups, rows, y + c, channels, mask);
        for (int g = 0; g < groups; g++)
            *sup = fmax(*sup, (s.greatest[g] - s.least[g]) / 2);
        for (int row = 0; row < rows; row++) {
            int32_t g = group[row];
            if (!in_mask(mask, row) || s.members[g] < 2)
                continue;
            double d = y[(size_t)row * (size_t)channels + (size_t)c] - s.first[g];
            double from_mean = d - s.sum[g] / s.members[g];
            share[row] += from_mean * from_mean / channels;
        }
    }
out:
    spread_close(&s);
    return code;
}

int floor_shares(const int32_t *group, int groups, int rows, int channels, const double *y,
                 const unsigned char *mask, double *share, struct err *e)
{
    double sup;
    return spread_shares(group, groups, rows, channels, y, mask, share, &sup, e);
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
    int code = spread_shares(group, groups, rows, channels, y, mask, share, &sup, e);
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
                          struct sort_item *item, struct sort_item *scratch)
{
    size_t count = 0;
    for (int row = 0; row < rows; row++)
        if (in_mask(mask, row) && in_mask(informative, row))
            item[count++] = (struct sort_item){
                .key = (uint64_t)group[row] << 32 | (uint32_t)label[row], .row = row};
    sort_items(item, scratch, count);
    return count;
}

int floor_tokens(const int32_t *group, int groups, int rows, const int32_t *label,
                 const unsigned char *mask, const unsigned char *informative,
                 struct floor_labels *out, struct err *e)
{
    (void)groups;
    *out = (struct floor_labels){NAN, NAN, NAN};
    int code = ERR_MEMORY;
    struct sort_item *item = memory_alloc((size_t)rows, sizeof *item, e);
    struct sort_item *scratch = memory_alloc((size_t)rows, sizeof *scratch, e);
    if (!item || !scratch)
        goto out;
    code = 0;
    size_t count = sort_labels(group, rows, label, mask, NULL, item, scratch);
    struct label_sums sums = sum_labels(item, count);
    if (count) {
        out->accuracy_ceiling = sums.commonest / (double)count;
        out->crossentropy = sums.entropy / (double)count;
    }
    count = sort_labels(group, rows, label, mask, informative, item, scratch);
    if (count)
        out->informative_ceiling = sum_labels(item, count).commonest / (double)count;
out:
    memory_free(item);
    memory_free(scratch);
    return code;
}
