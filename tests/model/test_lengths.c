/* Pairs of samples of several lengths: what a class says of relations at one length must be true of the
 * others, and no less than that is true. */
#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"
#include "help_turns.h"
#include "floor/help_floor.h"
#include "model/help_model.h"

static const char *const normalisers[] = {"softmax", "sink", "sigmoid"};
enum { LEAST = 3, TRAINED = 4, NORMALISERS = sizeof normalisers / sizeof *normalisers };
enum { SHORT_WORDS = 1 << LEAST, MEMBERS = LEAST * SHORT_WORDS };

/* All words over two symbols of 4, 3 and 5 letters, in this order, where the class is defined. */
static void add_words(struct help_set *set, const struct model_class *c)
{
    static const int lengths[] = {TRAINED, LEAST, TRAINED + 1};
    for (int k = 0; k < 3; k++) {
        struct layout *line = help_layout(&set->arena, lengths[k]);
        for (int word = 0; word < 1 << lengths[k] && help_defined(c, line); word++) {
            int32_t token[TRAINED + 1];
            for (int i = 0; i < lengths[k]; i++)
                token[i] = word >> i & 1;
            help_set_add(set, line, token);
        }
    }
}

/* How many pairs of words of 3 letters go with the same beginnings of those of 4. */
static int count_beginnings(const struct help_set *set, const int32_t *group)
{
    int count = 0, from = set->first[1 << TRAINED];
    for (int p = 0; p < MEMBERS; p++)
        count += group[from + p] == group[p / LEAST * TRAINED + p % LEAST];
    return count;
}

/* Under a causal mask, or in blocks of two positions that see each other, whatever the length.
 * finer: relations are of one length, which is more than what is true (of FIRE without a causal mask at
 * distance 0). */
static void check_class(const struct help_encoding *encoding, const char *normaliser, int c, bool causal,
                        bool finer, struct help_pairs *total)
{
    struct help_set set;
    struct help_pairs n = {0};
    struct model_class class;
    struct arena a;
    int32_t group[HELP_NETWORK_ROWS];
    int groups;
    struct model_config m = help_model(&encoding->config, c, causal, 12);
    m.ffn = 16;
    m.normaliser = help_kind(&normaliser_kinds, normaliser);
    if (!causal) {
        m.mask = help_kind(&mask_kinds, "blocks");
        m.mask.number[0] = 2, m.mask.number[1] = 0;
    }
    assert_int_equal(arena_open(&a, 0, NULL), 0);
    const struct layout *trained = help_layout(&a, TRAINED);
    model_class_of(&m, trained, &class);
    help_set_open(&set, HELP_NETWORK_CHANNELS, 1);
    add_words(&set, &class);
    if (set.count) {
        struct floor_set view = help_set_view(&set);
        assert_int_equal(model_merge(&m, trained, &view, group, &groups, NULL), 0);
        help_count_pairs("lengths", (uint64_t)total->apart, &m, &set, group, &n);
        int beginnings = set.count > 1 << TRAINED ? count_beginnings(&set, group) : 0;
        bool loose = finer || sizeof(real) == sizeof(float);
        if (n.broken || (n.unseen && !loose) || (causal && !finer && !class.length && beginnings < MEMBERS))
            fail_msg("%s, %s, C %d, causal %d: %ld of %ld merged pairs have unequal outputs, %ld unmerged ones are "
                     "told apart by none, %d of %d equal beginnings are merged", encoding->label, normaliser, c, causal,
                     n.broken, n.merged, n.unseen, beginnings, MEMBERS);
    }
    total->merged += n.merged, total->apart += n.apart;
    help_set_close(&set);
    arena_close(&a);
}

static void test_several_lengths(void **state)
{
    (void)state;
    static struct help_encoding encoding[HELP_ENCODINGS_MAX];
    struct kind_config formula = help_kind(&encoding_kinds, "formula");
    struct help_pairs total = {0};
    int encodings = help_encodings(encoding);
    for (int k = 0; k < encodings; k++)
        for (int turn = 0; turn < 4 * NORMALISERS; turn++)
            if (help_turn_here(k + turn + turn / 2 + turn / 4, 2))
                check_class(&encoding[k], normalisers[turn / 4], turn / 2 % 2 - 1, turn % 2,
                            encoding[k].config.kind == formula.kind || strstr(encoding[k].label, "scaling") ||
                                (turn % 2 == 0 && strstr(encoding[k].label, "fire")), &total);
    print_message("%ld merged pairs, %ld apart\n", total.merged, total.apart);
    assert_true(total.merged > 100000 && total.apart > 100000);
}

int main(void)
{
    struct err e = {0};
    if (kernel_open(&e)) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_several_lengths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
