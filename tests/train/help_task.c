#include "train/help_task.h"

struct task task_default(const char *target, const char *encoding, int attention)
{
    struct task t = {0};
    struct err e = {0};
    option_defaults(space_options, &t.space);
    option_defaults(target_options, &t.target);
    option_defaults(model_options, &t.model);
    option_defaults(train_options, &t.train);
    option_defaults(evaluate_options, &t.evaluate);
    assert_true(option_set_kind(&target_kinds, target, &t.target.kind));
    assert_true(option_set_kind(&encoding_kinds, encoding, &t.model.encoding));
    t.model.attention = attention;
    t.space.share[PATTERN_IDENTICAL] = 0.5;
    assert_int_equal(space_finish(&t.space, &e), 0);
    return t;
}
