/* rope: channel pairs of q and k are turned by the position times a frequency, so that q_i.k_j
 * depends on j - i:  theta_k = base^(-2k/rd), rd = fraction * d_h channels of each head.
 * Source: Su et al. 2021, eq. 15 and section 3.4.2.  Pairs are (2k,2k+1), or (k, k+rd/2) with
 * `pairing: half`, as in GPT-NeoX.  On a grid the first half of the rd channels turns with the row
 * coordinate and the second half with the column, each with rd/2 in place of rd.
 *
 * On sequences longer than the trained, by the factor s, `scaling` turns more slowly: linear, theta / s
 * (Chen et al. 2023); ntk, with base s^(rd/(rd-2)) base, so that the slowest pair does as in linear
 * and the fastest as ever (bloc97 2023); yarn, each pair by how often it turns in the trained length,
 * 32 times or more as ever, once or less as in linear, and logits times (1 + ln(s) / 10)^2 (Peng et
 * al. 2023, section 3).
 *
 *   angle between q_i and k_j in units of theta_k, n = 4:    0  1  2  3
 *                                                           -1  0  1  2
 *                                                           -2 -1  0  1
 *                                                           -3 -2 -1  0 */
#include <math.h>

#include "encoding/parts.h"

enum { BASE, FRACTION, PAIRING, SCALING };
enum { SCALING_NONE, SCALING_LINEAR, SCALING_NTK, SCALING_YARN };
static const char *const scaling_names[] = {"none", "linear", "ntk", "yarn", NULL};
enum { PAIRING_ADJACENT, PAIRING_HALF };
static const char *const pairing_names[] = {"adjacent", "half", NULL};
static const struct option options[] = {
    {.key = "base", .type = OPTION_REAL, .min = 1, .max = 1e12, .fallback = "10000",
     .help = "base of the frequencies"},
    {.key = "fraction", .type = OPTION_REAL, .min = 0, .max = 1, .fallback = "1",
     .help = "share of each head's channels that is turned"},
    {.key = "pairing", .type = OPTION_CHOICE, .fallback = "adjacent", .names = pairing_names,
     .help = "which channels form a pair: (2k,2k+1), or (k,k+rd/2)"},
    {.key = "scaling", .type = OPTION_CHOICE, .fallback = "none", .names = scaling_names,
     .quiet = true, .help = "how angles give way on sequences longer than the trained"},
    {.key = NULL},
};

static int turned(const struct kind_config *c, const struct encoding_shape *s)
{
    return (int)(c->number[FRACTION] * s->head_width + 1e-9);
}

static int check(const struct kind_config *c, const struct encoding_shape *s, struct err *e)
{
    int channels = turned(c, s), unit = 2 * s->trained->axes;
    if (channels > 0 && channels % unit == 0)
        return 0;
    return err_set(e, ERR_USAGE, "model.encoding.fraction",
                   "rope turns %d of the %d channels of a head, which must be a positive multiple "
                   "of %d; change model.encoding.fraction, model.width or model.heads",
                   channels, s->head_width, unit);
}

static struct rotation rotation(const struct encoding_context *c)
{
    int pairs = turned(c->config, c->shape) / 2;
    return (struct rotation){.pairs = pairs,
                             .axes = c->layout->axes,
                             .half = (int)c->config->number[PAIRING] == PAIRING_HALF,
                             .row = 2 * pairs};
}

/* state (positions, 2, pairs): cosines and sines. */
static size_t state_size(const struct encoding_context *c)
{
    return (size_t)encoding_positions(c->layout) * (size_t)rotation(c).row;
}

/* How much longer the sequence is than the trained; 1: not. */
static double stretch(const struct encoding_context *c)
{
    return fmax(1, (double)layout_places(c->layout) / layout_places(c->shape->trained));
}

/* The frequency of pair k of `channels` / 2. */
static double frequency(const struct encoding_context *c, int k, int channels)
{
    const double fast = 32, slow = 1, pi = 3.14159265358979323846;
    double base = c->config->number[BASE], s = stretch(c), power = -2.0 * k / channels;
    double theta = pow(base, power), turns = layout_places(c->shape->trained) * theta / (2 * pi);
    double share = fmin(1, fmax(0, (turns - slow) / (fast - slow)));
    switch ((int)c->config->number[SCALING]) {
    case SCALING_LINEAR: return theta / s;
    case SCALING_NTK: return k ? theta * pow(s, power * channels / (channels - 2)) : theta;
    case SCALING_YARN: return share * theta + (1 - share) * theta / s;
    default: return theta;
    }
}

static void prepare(const struct encoding_context *c, real *state)
{
    struct rotation r = rotation(c);
    int group = r.pairs / r.axes;
    bool yarn = (int)c->config->number[SCALING] == SCALING_YARN;
    double size = yarn ? 1 + 0.1 * log(stretch(c)) : 1;
    for (int p = 0; p < encoding_positions(c->layout); p++) {
        real *row = state + (size_t)p * (size_t)r.row;
        for (int k = 0; k < r.pairs; k++) {
            double angle = p * frequency(c, k % group, 2 * group);
            row[k] = (real)(size * cos(angle));
            row[r.pairs + k] = (real)(size * sin(angle));
        }
    }
}

/* With scaling, of one length. */
static int64_t relation(const struct encoding_context *c, int i, int j)
{
    bool scaled = (int)c->config->number[SCALING] != SCALING_NONE;
    return encoding_relation_offset(c, i, j) + (scaled ? (int64_t)c->layout->origin << 32 : 0);
}

static void query_key(const struct encoding_context *c, real *q, real *k, int stride)
{
    struct rotation r = rotation(c);
    encoding_rotate(c, &r, 1, q, stride);
    encoding_rotate(c, &r, 1, k, stride);
}

static void query_key_backward(const struct encoding_context *c, real *dq, real *dk, int stride)
{
    struct rotation r = rotation(c);
    encoding_rotate(c, &r, -1, dq, stride);
    encoding_rotate(c, &r, -1, dk, stride);
}

const struct encoding encoding_rope = {
    .name = "rope",
    .formula = "pairs of q and k turned by i * theta_k, theta_k = base^(-2k/rd), "
               "rd = fraction * d_h",
    .summary = "rotary positions",
    .citation = "Su et al. 2021, eq. 15",
    .relation_text = "offset",
    .longer = "any length",
    .options = options,
    .axes_min = 1, .axes_max = 2,
    .scattered = true,
    .check = check,
    .facts = encoding_facts_plain,
    .relation = relation,
    .state_size = state_size,
    .prepare = prepare,
    .query_key = query_key,
    .query_key_backward = query_key_backward,
};
