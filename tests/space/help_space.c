/* See help_space.h. */
#include "space/help_space.h"

#include <string.h>

static void configure(struct fixture *f, const char *space, int length)
{
    *f = (struct fixture){.config = {.kind = {.kind = -1}, .length = length, .channels = 2}};
    for (int k = 0; space_table[k]; k++)
        if (strcmp(space_table[k]->name, space) == 0)
            f->config.kind.kind = k;
    assert_true(f->config.kind.kind >= 0);
}

static void open_layout(struct fixture *f)
{
    struct err e = {0};
    assert_int_equal(space_finish(&f->config, &e), 0);
    assert_int_equal(arena_open(&f->arena, 0, &e), 0);
    assert_int_equal(
        space_of(&f->config)->layout(&f->config, (int)f->config.length, &f->arena, &f->layout,
                                     &e),
        0);
}

void fixture_open(struct fixture *f, const char *space, int length)
{
    configure(f, space, length);
    open_layout(f);
}

void fixture_open_grid(struct fixture *f, int height, int width)
{
    configure(f, "grid", 32);
    f->config.kind.number[0] = height;
    f->config.kind.number[1] = width;
    open_layout(f);
}

void fixture_close(struct fixture *f)
{
    arena_close(&f->arena);
}
