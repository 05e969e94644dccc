/* The certificate against real networks.  Random untrained networks of every class are run on sets
 * with planted repetitions: pairs that were merged must get equal outputs in all of them, pairs
 * that were not must be told apart by one of them, and no network is better than a floor.
 *
 * Tolerances.  Merged pairs have equal outputs in exact arithmetic; the two computations differ in
 * the order of sums only.  A sum of K terms is off by at most K epsilon of its largest partial sum;
 * the longest sums here have K = 24 terms (the ffn), a network has at most 3 layers of 4 chained
 * sums, and normalisations and large logits magnify what came before, by less than 2^6 in these sizes:
 * EQUAL = 24 * 12 * 64 epsilon < 2^15 epsilon of the largest output.  What tells pairs apart must
 * stand clear of that: APART = 2^6 EQUAL.  In float that leaves no room for pairs that a network
 * tells apart only just, so that half of the claim is checked in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "floor/help_floor.h"
#include "help_turns.h"
#include "model/help_model.h"

#define EQUAL (0x1p15 * REAL_EPSILON)
#define APART (0x1p6 * EQUAL)
enum { NETWORKS = 6, CHANNELS = 2, ROWS_MAX = 1024, DEPTH_MAX = 3 };

/* Outputs of several networks of one class on one set. */
struct trial {
    struct help_set set;
    struct model_class class;
    char label[96];
    bool loose; /* what is not merged need not be told apart */
    int rows, groups;
    int32_t group[ROWS_MAX];
    int32_t after[DEPTH_MAX * ROWS_MAX]; /* (DEPTH_MAX,rows) groups after each layer */
    int layers[NETWORKS];
    double y[NETWORKS][ROWS_MAX * CHANNELS], scale[NETWORKS]; /* scale: largest output */
};

/* ---- random networks --------------------------------------------------------------------------*/
static int pick(struct stream *s, int choices)
{
    return (int)stream_below(s, (uint64_t)choices);
}

/* Depth, norm, activation and sharing at random; the class and the sizes that it names are kept. */
static struct model_config random_config(const struct model_class *c, struct stream *s)
{
    struct model_config m = c->config;
    m.norm = pick(s, 3);
    m.activation = pick(s, 2) ? ACTIVATION_GELU : ACTIVATION_RELU;
    m.share = pick(s, 2);
    m.layers = DEPTH_MAX - 1 + pick(s, 2);
    m.ffn = 16 + pick(s, 9);
    return m;
}

/* y (rows,CHANNELS) of one random network; longest: the layout that has all relations.  Returns its
 * layers. */
static int run_network(const struct model_class *c, const struct floor_set *set,
                        const struct layout *longest, struct stream *s, double *y)
{
    struct model_config config = random_config(c, s);
    help_random_network(&config, c->shape.trained, set, longest, s, y);
    return config.layers;
}

static const char *attention_of(const struct trial *t)
{
    static char text[64];
    const struct model_config *m = &t->class.config;
    snprintf(text, sizeof text, "(C %s, mask %s)",
             m->attention == MODEL_URPE ? urpe_of(&m->c)->name : "none", mask_of(&m->mask)->name);
    return text;
}

/* ---- what must hold ---------------------------------------------------------------------------*/
static double difference(const struct trial *t, int network, int p, int q)
{
    double largest = 0;
    for (int c = 0; c < CHANNELS; c++) {
        double off = fabs(t->y[network][p * CHANNELS + c] - t->y[network][q * CHANNELS + c]);
        largest = off > largest ? off : largest;
    }
    return largest / t->scale[network];
}

/* off (NETWORKS,ROWS_MAX): differences of row p and those behind it, of networks' largest outputs. */
static void differences(const struct trial *t, int p, double (*off)[ROWS_MAX])
{
    for (int k = 0; k < NETWORKS; k++) {
        const double *y = t->y[k];
        double a = y[p * CHANNELS], b = y[p * CHANNELS + 1], part = 1 / t->scale[k];
        for (int q = p + 1; q < t->rows; q++) {
            double first = fabs(a - y[q * CHANNELS]), second = fabs(b - y[q * CHANNELS + 1]);
            off[k][q] = part * (first > second ? first : second);
        }
    }
}

struct counts {
    long merged, broken, apart, unseen;
    long deep, shallow; /* of pairs that a network tells apart, and its floor at its own depth, or
                         * at one layer fewer, does not */
};

static bool merged_after(const struct trial *t, int layers, int p, int q)
{
    const int32_t *group = t->after + (layers - 1) * t->rows;
    return group[p] == group[q];
}

/* broken: merged pairs that a network tells apart.  unseen: unmerged pairs that none does. */
static struct counts count_pairs(const struct trial *t)
{
    static double off[NETWORKS][ROWS_MAX];
    struct counts n = {0};
    for (int p = 0; p < t->rows; p++) {
        differences(t, p, off);
        for (int q = p + 1; q < t->rows; q++) {
            double largest = 0;
            for (int k = 0; k < NETWORKS; k++) {
                bool told = !(off[k][q] <= EQUAL);
                largest = off[k][q] > largest ? off[k][q] : largest;
                n.deep += told && merged_after(t, t->layers[k], p, q);
                n.shallow += told && merged_after(t, t->layers[k] - 1, p, q);
            }
            bool merged = t->group[p] == t->group[q];
            n.merged += merged;
            n.apart += !merged;
            n.broken += merged && !(largest <= EQUAL);
            n.unseen += !merged && !(largest >= APART);
        }
    }
    return n;
}

static double largest_output(const struct trial *t, int network)
{
    double largest = 0;
    for (int i = 0; i < t->rows * CHANNELS; i++) {
        double size = fabs(t->y[network][i]);
        largest = size <= largest ? largest : isnan(size) ? (double)INFINITY : size;
    }
    return largest;
}

/* Without a norm, weights that are no shares may leave the range of numbers (linear without a sum, with
 * an encoding's exponential): another network is drawn then. */
static void run_trial(struct trial *t, const struct layout *longest, struct stream *s)
{
    struct floor_set set = help_set_view(&t->set);
    t->rows = set.first[set.count];
    assert_true(t->rows <= ROWS_MAX);
    const struct floor_class *layer[DEPTH_MAX] = {&t->class.floor, &t->class.floor,
                                                  &t->class.floor};
    int each[DEPTH_MAX];
    assert_int_equal(floor_merge_layers(layer, DEPTH_MAX, &set, t->after, each, t->group,
                                        &t->groups, NULL), 0);
    for (int k = 0; k < NETWORKS; k++) {
        int tries = 0;
        do {
            t->layers[k] = run_network(&t->class, &set, longest, s, t->y[k]);
            t->scale[k] = largest_output(t, k);
        } while (!isfinite(t->scale[k]) && ++tries < 20);
        assert_true(isfinite(t->scale[k]) && t->scale[k] > 0);
    }
}

/* A target that is the network's own output plus noise of a size that varies from trial to trial:
 * the error is the noise, and the floor is what of it cannot be explained. */
static void check_floors(const struct trial *t, struct stream *s)
{
    static double target[ROWS_MAX * CHANNELS];
    unsigned char mask[ROWS_MAX];
    for (int k = 0; k < NETWORKS; k++) {
        double square = 0, sup = 0;
        int pairs = 0;
        for (int row = 0; row < t->rows; row++) {
            mask[row] = k % 2 == 0 || pick(s, 2);
            pairs += mask[row];
            for (int c = 0; c < CHANNELS; c++) {
                double noise = ldexp(stream_uniform24(s) - 0.5, 3 - 4 * k) * t->scale[k];
                target[row * CHANNELS + c] = t->y[k][row * CHANNELS + c] + noise;
                square += mask[row] ? noise * noise : 0;
                sup = fmax(sup, mask[row] ? fabs(noise) : 0);
            }
        }
        struct floor_errors floor;
        assert_int_equal(floor_continuous(t->group, t->groups, t->rows, CHANNELS, target,
                                          k % 2 ? mask : NULL, &floor, NULL), 0);
        double slack = EQUAL * t->scale[k];
        if (!(floor.rms <= sqrt(square / (pairs * CHANNELS)) + slack && floor.sup <= sup + slack))
            fail_msg("%s %s: a network is better than its floor", t->label, attention_of(t));
    }
}

static void check_trial(struct trial *t, const struct layout *longest, uint64_t seed,
                        struct counts *total)
{
    struct stream s;
    stream_open(&s, seed, "soundness", 0);
    run_trial(t, longest, &s);
    struct counts n = count_pairs(t);
    if (n.broken)
        fail_msg("%s %s: %ld of %ld merged pairs have unequal outputs", t->label, attention_of(t),
                 n.broken, n.merged);
    if (n.deep)
        fail_msg("%s %s: %ld pairs merged at a network's depth have unequal outputs", t->label,
                 attention_of(t), n.deep);
    if (n.unseen && !t->loose && sizeof(real) == sizeof(double))
        fail_msg("%s %s: %ld of %ld unmerged pairs are told apart by none of %d networks",
                 t->label, attention_of(t), n.unseen, n.apart, NETWORKS);
    check_floors(t, &s);
    total->merged += n.merged;
    total->apart += n.apart;
}

/* Each precision takes another third of the classes: what is merged is the same in both, and the model
 * one source. */
static bool has_turn(int turn)
{
    return help_turn_here(turn, 3);
}

/* ---- sequences --------------------------------------------------------------------------------*/
static void check_class(struct trial *t, const struct kind_config *encoding, int c, bool causal,
                        int trained, int n, uint64_t seed, struct counts *total)
{
    help_set_open(&t->set, CHANNELS, seed);
    struct layout *longest = help_layout(&t->set.arena, n);
    t->class = help_class(encoding, c, causal, 12, help_layout(&t->set.arena, trained));
    if (help_defined(&t->class, longest)) {
        help_set_plant(&t->set, longest, 2, 0);
        help_set_plant(&t->set, longest, 3, 1);
        check_trial(t, longest, seed, total);
    }
    help_set_close(&t->set);
}

static void check_every_class(int trained, int n, struct counts *total)
{
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    int encodings = help_encodings(encoding);
    for (int k = 0; k < encodings; k++)
        for (int causal = 0; causal < 2; causal++)
            for (int c = -1; c <= urpe_kinds.count; c++) {
                memcpy(t->label, encoding[k].label, sizeof t->label);
                if (!has_turn(k + causal + c + n))
                    continue;
                check_class(t, &encoding[k].config, c, causal, trained, n,
                            (uint64_t)(k * 10 + causal * 4 + c + 1), total);
            }
    memory_free(t);
}

static void test_sequences(void **state)
{
    struct counts total = {0};
    check_every_class(5, 5, &total);
    assert_true(total.merged > 100000 && total.apart > 100000);
}

static void test_sequences_longer(void **state)
{
    struct counts total = {0};
    check_every_class(3, 6, &total);
    assert_true(total.merged > 50000 && total.apart > 50000);
}

/* A C that is trained at one position is one number, and softmax's rows are as without it. */
static void test_sequences_trained_at_one(void **state)
{
    struct counts total = {0};
    check_every_class(1, 5, &total);
    struct arena a;
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    struct layout one = *help_layout(&a, 1), l = *help_layout(&a, 4);
    const struct layout *here = &l;
    int32_t group[4], token[4] = {0};
    int first[] = {0, 4}, groups, kinds = 0;
    struct floor_set set = {.count = 1, .first = first, .layout = &here, .token = token};
    static const char *const names[] = {"alibi", "t5", "rope", "kerple-log"};
    for (; kinds < 4; kinds++) {
        struct kind_config encoding = help_kind(&encoding_kinds, names[kinds]);
        struct model_class c = help_class(&encoding, 0, false, 8, &one);
        assert_int_equal(floor_merge(&c.floor, &set, group, &groups, NULL), 0);
        assert_int_equal(groups, 1);
    }
    arena_close(&a);
}

/* Pairs of offsets share a bias.  In 010101 each of them shows a 0 and a 1 to a 0, so that what the
 * zeros see is a product, of other offsets for each: all zeros are equal in every network of one layer. */
static void test_products(void **state)
{
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    struct kind_config pairs;
    struct stream s;
    assert_non_null(t);
    assert_true(option_set_kind(&encoding_kinds, "formula", &pairs));
    snprintf(pairs.text[0].text, OPTION_TEXT_MAX, "a[h] * (d // 2) + b[h] * (d // 2) ^ 2");
    snprintf(pairs.text[1].text, OPTION_TEXT_MAX, "{a: 1, b: 0.5}");
    help_set_open(&t->set, CHANNELS, 6);
    struct layout *l = help_layout(&t->set.arena, 6);
    t->class = help_class(&pairs, -1, false, 12, l);
    assert_true(help_defined(&t->class, l));
    help_set_add(&t->set, l, (int32_t[]){0, 1, 0, 1, 0, 1});
    for (int word = 0; word < 32; word++)
        help_set_add(&t->set, l, (int32_t[]){word & 1, word >> 1 & 1, word >> 2 & 1, word >> 3 & 1,
                                             word >> 4, 0});
    stream_open(&s, 2, "soundness", 0);
    run_trial(t, l, &s);
    struct counts n = count_pairs(t);
    struct floor_set set = help_set_view(&t->set);
    struct model_config one = t->class.config;
    one.layers = 1;
    assert_true(merged_after(t, 1, 0, 2) && merged_after(t, 1, 0, 4) && !merged_after(t, 1, 1, 3));
    for (int k = 0; k < NETWORKS; k++) {
        help_random_network(&one, t->class.shape.trained, &set, l, &s, t->y[k]);
        t->scale[k] = largest_output(t, k);
        assert_true(difference(t, k, 0, 2) <= EQUAL && difference(t, k, 0, 4) <= EQUAL);
        if (sizeof(real) == sizeof(double)) /* at the edges a pair is not whole */
            assert_true(difference(t, k, 1, 3) > EQUAL);
    }
    assert_int_equal(n.broken, 0);
    if (sizeof(real) == sizeof(double))
        assert_int_equal(n.unseen, 0);
    help_set_close(&t->set);
    memory_free(t);
}

/* ---- long sequences, where buckets hold several offsets ---------------------------------------*/
/* A palindrome is where |offset| and C's row part: alibi alone takes mirror positions for equal,
 * and C, bucketed or not, tells them apart. */
static void test_palindromes(void **state)
{
    enum { N = 20 };
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    static const char *const names[] = {"alibi", "none", "shaw", "t5"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int c = -1; c <= urpe_kinds.count; c++) {
            struct counts total = {0};
            struct kind_config encoding = help_kind(&encoding_kinds, names[k]);
            snprintf(t->label, sizeof t->label, "palindromes %s", names[k]);
            help_set_open(&t->set, CHANNELS, k);
            struct layout *l = help_layout(&t->set.arena, N);
            t->class = help_class(&encoding, c, false, 12, l);
            int32_t token[N];
            for (int s = 0; s < 4; s++) {
                for (int i = 0; i < N; i++)
                    token[i] = i < N - 1 - i ? pick(&t->set.random, 1 + s) : token[N - 1 - i];
                help_set_add(&t->set, l, token);
            }
            check_trial(t, l, k, &total);
            assert_true(total.merged > 0 || c >= 0 || strcmp(names[k], "shaw") == 0);
            help_set_close(&t->set);
        }
    memory_free(t);
}

/* ---- normalisers and masks --------------------------------------------------------------------*/
/* A class of any mask and normaliser, and an empty set of samples of n positions; false: it is not
 * defined. */
static bool open_class(struct trial *t, const struct kind_config *encoding, int c,
                       const struct kind_config *mask, const struct kind_config *normaliser, int n,
                       uint64_t seed)
{
    help_set_open(&t->set, CHANNELS, seed);
    struct layout *l = help_layout(&t->set.arena, n);
    struct model_config m = help_model(encoding, c, false, 12);
    m.mask = *mask;
    m.normaliser = *normaliser;
    model_class_of(&m, l, &t->class);
    if (help_defined(&t->class, l))
        return true;
    help_set_close(&t->set);
    return false;
}

/* Runs networks on the set of t, counts, and closes the set. */
static struct counts count_and_close(struct trial *t, uint64_t seed)
{
    struct stream s;
    stream_open(&s, seed, "soundness", 0);
    run_trial(t, t->set.layout[0], &s);
    struct counts n = count_pairs(t);
    if (!n.broken)
        check_floors(t, &s);
    help_set_close(&t->set);
    return n;
}

/* Every normaliser, with each value of its options, by each of the families of encodings (one
 * relation, offset, distance, values of its own, the order), under every mask by turns. */
static void test_normalisers_and_masks(void **state)
{
    static struct help_encoding normaliser[HELP_ENCODINGS_MAX], mask[HELP_ENCODINGS_MAX];
    static const char *const encodings[] = {"none", "toeplitz", "rope", "alibi", "shaw", "cope", "fox"};
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    int normalisers = help_variants(&normaliser_kinds, normaliser);
    int masks = help_variants(&mask_kinds, mask), turn = 0, checked = 0;
    long shallow = 0;
    for (int k = 0; k < normalisers; k++)
        for (int e = 0; e < 7; e++)
            for (int m = 0; m < 5; m++, turn++) {
                int sight = m < 2 ? m : 2 + turn % (masks - 2);
                struct kind_config encoding = help_kind(&encoding_kinds, encodings[e]);
                if (!help_turn_here(turn, 9) || !open_class(t, &encoding, turn % 2 - 1, &mask[sight].config,
                                                   &normaliser[k].config, 6, (uint64_t)turn))
                    continue;
                const struct layout *l = t->class.shape.trained;
                help_set_plant(&t->set, l, 2, 0);
                help_set_plant(&t->set, l, 3, 1);
                struct counts n = count_and_close(t, (uint64_t)turn);
                if (n.broken || n.deep)
                    fail_msg("%s, %s, %s C=%d: %ld merged pairs have unequal outputs, %ld of those"
                             " merged at the depth of a network", normaliser[k].label,
                             encodings[e], mask[sight].label, turn % 2, n.broken, n.deep);
                shallow += n.shallow;
                checked++;
            }
    memory_free(t);
    print_message("%d classes, %ld pairs that one layer fewer would merge\n", checked, shallow);
    assert_true(checked > (help_full() ? 300 : 50) && shallow > 100);
}

/* Maps of the products are functions of q_i and k_j: the class is that of the same layer without. */
static void test_maps_of_logits(void **state)
{
    static const char *const encodings[] = {"none", "toeplitz", "rope", "alibi", "shaw", "fox"};
    static const char *const normalisers[] = {"softmax", "sink", "differential"};
    struct counts total = {0};
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    for (int turn = 0; turn < 6 * 2 * 3; turn++) {
        struct kind_config encoding = help_kind(&encoding_kinds, encodings[turn / 6]);
        struct kind_config mask = help_kind(&mask_kinds, turn / 3 % 2 ? "causal" : "none");
        struct kind_config normaliser = help_kind(&normaliser_kinds, normalisers[turn / 2 % 3]);
        if (!open_class(t, &encoding, turn / 6 % 2 - 1, &mask, &normaliser, 5, (uint64_t)turn))
            continue;
        t->class.config.logits = help_kind(&logits_kinds, logits_kinds.name(1 + turn % 3));
        snprintf(t->label, sizeof t->label, "%s of %s", logits_kinds.name(1 + turn % 3),
                 encodings[turn / 6]);
        help_set_plant(&t->set, t->class.shape.trained, 2, 0);
        help_set_plant(&t->set, t->class.shape.trained, 3, 1);
        check_trial(t, t->class.shape.trained, (uint64_t)turn, &total);
        help_set_close(&t->set);
    }
    memory_free(t);
    assert_int_equal(logits_kinds.count, 4);
    assert_true(total.merged > 10000 && total.apart > 10000);
}

/* A view that is coarser than the class allows is found out on all words of six letters over two
 * symbols, causally or in blocks of four: there 0101 and 01 stand side by side, and what sees them
 * sees the same shares and other numbers.  (That stick-breaking sees an order cannot be shown so:
 * under each of these masks what comes later sees what came before, and its colour tells.  One layer shows it,
 * test_normaliser.c.) */
static void test_wrong_views_are_found_out(void **state)
{
    static const struct {
        const char *normaliser;
        enum floor_view view;
        bool stochastic, blocks;
        int choice;           /* of the normaliser's first option; 0: the default */
        const char *second;   /* encoding instead of toeplitz */
    } wrong[] = {
        {.normaliser = "sink", .view = FLOOR_NORMALISED, .blocks = true},
        {.normaliser = "softmax-one", .view = FLOOR_NORMALISED, .blocks = true},
        {.normaliser = "bias-kv", .view = FLOOR_NORMALISED, .blocks = true},
        {.normaliser = "sigmoid", .view = FLOOR_NORMALISED, .blocks = true},
        {.normaliser = "relu", .view = FLOOR_NORMALISED, .blocks = true},
        {.normaliser = "entmax", .view = FLOOR_NORMALISED, .stochastic = true, .blocks = true},
        {.normaliser = "sparsemax", .view = FLOOR_NORMALISED, .stochastic = true, .blocks = true},
        {.normaliser = "ssmax", .view = FLOOR_NORMALISED, .stochastic = true, .blocks = true},
        {.normaliser = "sink", .view = FLOOR_COUNTED, .stochastic = true},
        {.normaliser = "sigmoid", .view = FLOOR_COUNTED, .stochastic = true},
        {.normaliser = "stick-breaking", .view = FLOOR_ORDERED, .stochastic = true},
        {.normaliser = "linear", .view = FLOOR_NORMALISED, .blocks = true, .choice = 2},
        {.normaliser = "linear", .view = FLOOR_COUNTED, .stochastic = true, .choice = 2},
        {.normaliser = "linear", .view = FLOOR_NORMALISED, .stochastic = true, .choice = 1, .second = "rope"},
        {.normaliser = "softpick", .view = FLOOR_NORMALISED, .stochastic = true},
        {.normaliser = "elastic", .view = FLOOR_NORMALISED, .stochastic = true},
    };
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        struct kind_config mask = help_kind(&mask_kinds, wrong[k].blocks ? "blocks" : "causal");
        struct kind_config normaliser = help_kind(&normaliser_kinds, wrong[k].normaliser);
        long broken = 0;
        mask.number[0] = 4; /* size of blocks, not causal */
        mask.number[1] = 0;
        if (wrong[k].choice)
            normaliser.number[0] = wrong[k].choice;
        for (int e = 0; e < 2; e++) {
            const char *second = wrong[k].second ? wrong[k].second : "toeplitz";
            struct kind_config encoding = help_kind(&encoding_kinds, e ? second : "none");
            assert_true(open_class(t, &encoding, -1, &mask, &normaliser, 6, k));
            for (int word = 0; word < 64; word++)
                help_set_add(&t->set, t->class.shape.trained,
                             (int32_t[]){word & 1, word >> 1 & 1, word >> 2 & 1, word >> 3 & 1,
                                         word >> 4 & 1, word >> 5});
            t->class.floor.view = wrong[k].view;
            t->class.floor.stochastic = wrong[k].stochastic;
            broken += count_and_close(t, k).broken;
        }
        if (!broken)
            fail_msg("a view of %s that is too coarse (%d, %d) goes unnoticed", wrong[k].normaliser,
                     wrong[k].view, wrong[k].stochastic);
    }
    memory_free(t);
}

/* ALiBi alone weighs a token at distance d by x^d, whatever the content, so that rows of different
 * counts may come out alike.  In 101101 the ones and zeros that position 1 sees weigh
 * 1 + x^2 + x^3 + x^5 and x + x^4, those of position 3 weigh 1 + x + x^2 + x^3 and x + x^2: both
 * times as (1 + x^2) to x.  A bias of its own for each distance tells them apart. */
static void test_alibi_coincidence(void **state)
{
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    struct stream s;
    assert_non_null(t);
    for (int own = 0; own < 2; own++) {
        struct kind_config encoding = help_kind(&encoding_kinds, own ? "kerple-log" : "alibi");
        help_set_open(&t->set, CHANNELS, 5);
        struct layout *l = help_layout(&t->set.arena, 6);
        t->class = help_class(&encoding, -1, false, 12, l);
        t->class.floor.weights = FLOOR_POWERS; /* a false promise of the second */
        help_set_add(&t->set, l, (int32_t[]){1, 0, 1, 1, 0, 1});
        stream_open(&s, 1, "soundness", 0);
        run_trial(t, l, &s);
        struct counts n = count_pairs(t);
        assert_int_equal(n.merged, 7); /* mirror pairs, and 1 and 6 with 3 and 4 */
        assert_int_equal(n.broken, own ? 4 : 0);
        if (sizeof(real) == sizeof(double))
            assert_int_equal(n.unseen, 0);
        help_set_close(&t->set);
    }
    memory_free(t);
}

/* ---- every space --------------------------------------------------------------------------------
 * Samples of one token, of two, and images of such a sample; on spaces with a layout for each
 * sample, of several sizes and with the same token. */
static void add_samples(struct trial *t, const struct space_config *c, struct layout *fixed)
{
    int32_t token[ROWS_MAX], image[ROWS_MAX];
    for (int k = 0; k < 6; k++) {
        struct layout *l =
            fixed ? fixed : help_sample_layout(c, &t->set.random, &t->set.arena);
        for (int i = 0; i < l->n; i++)
            token[i] = pick(&t->set.random, 1 + k / 2);
        help_set_add(&t->set, l, token);
        for (int i = 0; i < l->n; i++)
            image[i] = token[l->n - 1 - i];
        help_set_add(&t->set, l, image);
    }
}

/* mask: instead of causal or none; NULL. */
static void check_space(const struct space_config *c, const char *mask, const struct help_encoding *encoding, int kind,
                        bool causal, uint64_t seed, struct counts *total)
{
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    snprintf(t->label, sizeof t->label, "%.64s on %s", encoding->label, space_of(c)->name);
    help_set_open(&t->set, CHANNELS, seed);
    struct layout *longest = arena_alloc(&t->set.arena, 1, sizeof *longest, NULL);
    assert_non_null(longest);
    assert_int_equal(space_of(c)->layout(c, (int)c->length, &t->set.arena, longest, NULL), 0);
    struct model_config m = help_model(&encoding->config, kind, causal, 16);
    if (mask)
        m.mask = help_kind(&mask_kinds, mask);
    t->loose = mask; /* networks of few layers do not reach as far as its partition does */
    model_class_of(&m, longest, &t->class);
    if (help_defined(&t->class, longest)) {
        add_samples(t, c, space_draws(c) ? NULL : longest);
        check_trial(t, longest, seed, total);
    }
    help_set_close(&t->set);
    memory_free(t);
}

static void test_spaces(void **state)
{
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    int encodings = help_encodings(encoding);
    for (int s = 0; space_table[s]; s++) {
        struct counts total = {0};
        struct space_config c = help_space(space_table[s]->name, "nodes_min", 5);
        for (int k = 0; k < encodings; k++)
            for (int causal = 0; causal < (space_table[s]->axes > 0 ? 2 : 1); causal++)
                for (int kind = -1; kind <= urpe_kinds.count; kind++)
                    if (has_turn(s + k + causal + kind + 1))
                        check_space(&c, NULL, &encoding[k], kind, causal,
                                    (uint64_t)(k * 10 + causal * 4 + kind + 1), &total);
        if (!(total.merged > 1000 && total.apart > 10000))
            fail_msg("%s: %ld pairs merged, %ld apart", space_table[s]->name, total.merged,
                     total.apart);
    }
}

/* Masks that only grids and graphs have. */
static void test_masks_of_spaces(void **state)
{
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    static const char *const name[][2] = {{"grid", "neighbourhood"}, {"graph", "hops"}};
    int encodings = help_encodings(encoding);
    for (int s = 0; s < 2; s++) {
        struct counts total = {0};
        struct space_config c = help_space(name[s][0], "nodes_min", 5);
        for (int k = 0; k < 2 * encodings; k++)
            check_space(&c, name[s][1], &encoding[k / 2], k % 2 - 1, false, (uint64_t)k, &total);
        print_message("%s: %ld pairs merged, %ld apart\n", name[s][1], total.merged, total.apart);
        assert_true(total.merged > 1000 && total.apart > 10000);
    }
}

/* ---- relation tables --------------------------------------------------------------------------*/
enum { NODES = 6 };

static void fold_same(const struct layout *trained, const struct layout *here, int32_t *map)
{
    for (int r = 0; r < here->relations; r++)
        map[r] = r;
}

/* A trained table that knows the distances 0 and 1 only: B by distance is then finer than C. */
static void fold_clipped(const struct layout *trained, const struct layout *here, int32_t *map)
{
    for (int r = 0; r < here->relations; r++)
        map[r] = r > 0;
}

/* Shortest paths of a random graph; relation NODES is "unreachable". */
static void random_graph(struct stream *s, int32_t *relation)
{
    for (int i = 0; i < NODES; i++)
        for (int j = 0; j < i; j++)
            relation[i * NODES + j] = relation[j * NODES + i] = pick(s, 5) < 2 ? 1 : NODES;
    for (int k = 0; k < NODES; k++)
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < NODES; j++) {
                int through = relation[i * NODES + k] + relation[k * NODES + j];
                if (i == j)
                    relation[i * NODES + j] = 0;
                else if (through < relation[i * NODES + j])
                    relation[i * NODES + j] = through;
            }
}

/* Samples whose layouts differ: merging follows the graphs' symmetries, across graphs too. */
static void test_graphs(void **state)
{
    enum { GRAPHS = 40 };
    static int32_t relation[GRAPHS][NODES * NODES];
    static struct layout graph[GRAPHS];
    double distance[NODES + 1];
    for (int r = 0; r <= NODES; r++)
        distance[r] = r < NODES ? r : -1;
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    struct counts total = {0};
    static const char *const names[] = {"toeplitz", "alibi", "none"};
    for (int k = 0; k < 6; k++)
        for (int urpe = 0; urpe < 2; urpe++) {
            struct kind_config encoding = help_kind(&encoding_kinds, names[k % 3]);
            snprintf(t->label, sizeof t->label, "graphs %s clipped %d", names[k % 3], k / 3);
            help_set_open(&t->set, CHANNELS, 9);
            for (int g = 0; g < GRAPHS; g++) {
                int32_t token[NODES];
                random_graph(&t->set.random, relation[g]);
                graph[g] = (struct layout){.n = NODES, .relations = NODES + 1,
                                           .relation = relation[g], .distance = distance,
                                           .fold = k < 3 ? fold_same : fold_clipped};
                for (int i = 0; i < NODES; i++)
                    token[i] = pick(&t->set.random, 1 + g % 2);
                help_set_add(&t->set, &graph[g], token);
            }
            t->class = help_class(&encoding, urpe ? 0 : -1, false, 12, &graph[0]);
            check_trial(t, &graph[0], 9, &total);
            help_set_close(&t->set);
        }
    assert_true(total.merged > 1000);
    memory_free(t);
}

/* Rings of six and of four nodes, all alike, whose queries see their two neighbours: rows see as many
 * keys in both, and a weight that knows how many nodes there are tells the rings apart. */
static void test_lengths(void **state)
{
    static const char *const names[] = {"sigmoid", "relu"};
    static const double distance[] = {0, 1, 2, 3};
    static int32_t relation[2][NODES * NODES];
    struct layout ring[2];
    struct kind_config none = help_kind(&encoding_kinds, "none");
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    for (int k = 0; k < 2; k++) {
        int n = NODES - 2 * k;
        for (int i = 0; i < n * n; i++) {
            int step = abs(i / n - i % n);
            relation[k][i] = step < n - step ? step : n - step;
        }
        ring[k] = (struct layout){.n = n, .relations = 4, .relation = relation[k],
                                  .distance = distance, .fold = fold_same};
    }
    for (int turn = 0; turn < 4; turn++) {
        bool wrong = turn % 2;
        help_set_open(&t->set, CHANNELS, (uint64_t)turn);
        t->class = help_class(&none, -1, false, 12, &ring[0]);
        struct model_config m = t->class.config;
        m.normaliser = help_kind(&normaliser_kinds, names[turn / 2]);
        m.mask = help_kind(&mask_kinds, "hops");
        m.mask.number[0] = 1;
        model_class_of(&m, &ring[0], &t->class);
        t->class.length = t->class.length && !wrong;
        for (int k = 0; k < 2; k++)
            help_set_add(&t->set, &ring[k], (int32_t[NODES]){0});
        struct counts n = count_and_close(t, (uint64_t)turn);
        if ((n.broken > 0) != wrong || n.merged < 6 * 5 / 2 + 4 * 3 / 2)
            fail_msg("%s: %ld merged, %ld broken", names[turn / 2], n.merged, n.broken);
    }
    memory_free(t);
}

/* ---- what C undoes ----------------------------------------------------------------------------*/
/* On a constant prefix under a causal mask the merges are the single-colour clause's alone: with C
 * all of them are gone.  On a graph a symmetry that keeps every distance outlives C. */
static void test_c_breaks(void **state)
{
    struct trial *t = memory_alloc(1, sizeof *t, NULL);
    assert_non_null(t);
    for (int urpe = 0; urpe < 2; urpe++) {
        struct counts total = {0};
        struct kind_config toeplitz = help_kind(&encoding_kinds, "toeplitz");
        memcpy(t->label, "prefix", sizeof "prefix");
        help_set_open(&t->set, CHANNELS, 5);
        struct layout *l = help_layout(&t->set.arena, 6);
        t->class = help_class(&toeplitz, urpe ? 0 : -1, true, 12, l);
        help_set_add(&t->set, l, (int32_t[]){3, 3, 3, 3, 1, 2});
        check_trial(t, l, 5, &total);
        assert_int_equal(total.merged, urpe ? 0 : 6);
        help_set_close(&t->set);
    }
    memory_free(t);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),    cmocka_unit_test(test_sequences),   cmocka_unit_test(test_sequences_longer),
        cmocka_unit_test(test_palindromes), cmocka_unit_test(test_normalisers_and_masks),
        cmocka_unit_test(test_maps_of_logits), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_wrong_views_are_found_out), cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_masks_of_spaces),
        cmocka_unit_test(test_sequences_trained_at_one), cmocka_unit_test(test_alibi_coincidence),
        cmocka_unit_test(test_graphs), cmocka_unit_test(test_c_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
