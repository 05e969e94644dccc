/* A space says what positions are to each other.  The model, the encodings and the floors know a
 * struct layout and nothing else of it; a new space is a new file and a line in space_table. */
#ifndef SPACE_SPACE_H
#define SPACE_SPACE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/random.h"

/* The positions of one sample.  Relation ids run from 0 to relations-1.
 *
 *   sequence, n = 4                 j = 0  1  2  3
 *   relation(i,j) = j - i + n-1  i=0:   3  4  5  6      offset of relation r: r - (n-1)
 *                                i=1:   2  3  4  5      distance of relation r: |offset|
 *                                i=2:   1  2  3  4
 *                                i=3:   0  1  2  3
 */
struct layout {
    int n;                     /* positions */
    int relations;
    const int32_t *relation;   /* (n,n), or NULL: relation(i,j) = j - i + origin */
    int origin;                /* the relation of offset 0, on a line */
    int axes;                  /* 1 sequence, 2 grid, 0 where there are no coordinates */
    const int32_t *coordinate; /* (n,axes) from 0, or NULL: one axis, coordinate i */
    const int32_t *offset;     /* (relations,axes) coordinate of j minus i's; NULL if axes 0 */
    const double *distance;    /* (relations) size of a relation, >= 0; -1: unreachable */
    const int32_t *steps;      /* (n,n) edges of a shortest path; -1: there is none.  NULL: no graph */
    const int32_t *degree;     /* (n) neighbours of each position.  NULL: no graph */
    int before;                /* registers, the first positions, which have no place ... */
    const struct layout *own;  /* ... and the layout of the others.  0 and NULL: there are none */
    /* For tables trained on layout `trained` and used on `here`: map (here->relations) gives the
     * table's row for each relation of here, clipped where the table ends. */
    void (*fold)(const struct layout *trained, const struct layout *here, int32_t *map);
};

static inline int layout_relation(const struct layout *l, int i, int j)
{
    return l->relation ? l->relation[(size_t)i * (size_t)l->n + (size_t)j] : j - i + l->origin;
}
static inline int layout_coordinate(const struct layout *l, int i, int axis)
{
    return l->coordinate ? l->coordinate[i * l->axes + axis] : i;
}
/* A line: positions are related by their offset alone, and more may stand before the first. */
static inline bool layout_is_line(const struct layout *l)
{
    return l->axes == 1 && !l->coordinate && !l->relation;
}
/* A line whose positions need not be neighbours: their places are coordinates of a longer line, ascending,
 * relations are offsets on it, and `origin` is its last place. */
static inline bool layout_is_scattered(const struct layout *l)
{
    return l->axes == 1 && l->coordinate;
}
/* How many places a position may have. */
static inline int layout_places(const struct layout *l)
{
    return layout_is_scattered(l) ? l->origin + 1 : l->n;
}
/* Positions at place (n) of a line of `places`, which the caller keeps, as the rest that is in `arena`. */
int layout_scattered(int n, const int32_t *place, int places, struct arena *arena, struct layout *out,
                     struct err *e);
/* The line of n positions; its arrays are in `arena`, which may be a measuring one. */
int layout_line(int n, struct arena *arena, struct layout *out, struct err *e);
/* Its first n positions, with its relations. */
static inline struct layout layout_shorter(const struct layout *line, int n)
{
    struct layout out = *line;
    out.n = n;
    return out;
}
/* Size along one axis.  Positions are in row-major order: the last is at the end of each axis. */
static inline int layout_extent(const struct layout *l, int axis)
{
    return layout_coordinate(l, l->n - 1, axis) + 1;
}

/* Index into pattern_table and into space_config.share. */
enum pattern_id {
    PATTERN_GENERIC, /* independent uniform tokens */
    PATTERN_IDENTICAL,
    PATTERN_PREFIX,
    PATTERN_PERIODIC,
    PATTERN_PALINDROME,
    PATTERN_BLOCKS,
    PATTERN_MIRROR,
    PATTERN_CHECKERBOARD,
    PATTERN_CONSTANT,
    PATTERN_FIRST,
    PATTERN_NEAR,
    PATTERN_LUA,
    PATTERN_MAX = 16
};

struct text;

struct space_config {
    struct kind_config kind;    /* which space, and its own options */
    int64_t length;             /* n of a training sample (a space of its own size ignores it) */
    int64_t channels;           /* d of continuous inputs */
    double share[PATTERN_MAX];  /* of each pattern_table entry; [PATTERN_GENERIC]: the rest */
    double radius;              /* of pattern near: the farthest of a token from the one token */
    struct option_text own;     /* of pattern lua: what its tokens are */
};

/* A pattern makes tokens of a sample equal: position i gets a copy of fresh token source[i].  Works
 * for continuous and for discrete tokens alike. */
struct pattern {
    const char *name, *help;
    /* source (n) filled with values in 0..n-1, source[source[i]] == source[i]. */
    void (*draw)(const struct layout *l, struct stream *random, int *source);
    bool fixed; /* fresh tokens are one and the same in every input: 1/2, or symbol 0 */
    bool own;   /* tokens are what the user's code makes of fresh ones (target/own_inputs.h) */
    bool near;  /* copies are moved by at most space_config.radius; continuous tokens only */
};
extern const struct pattern *const pattern_table[]; /* NULL-terminated; [0] is generic */
int pattern_count(void);

/* An orbit is a group of permutations of positions; the evaluation set holds each sample's images.
 * Image k of x is x'_i = x_{perm[i]}; image 0 is the sample itself; no permutation comes twice. */
struct orbit {
    const char *name, *help;
    int (*images)(const struct layout *l);
    void (*image)(const struct layout *l, int k, int *perm);
};
extern const struct orbit *const orbit_table[]; /* NULL-terminated; [0] is none */
extern const char *const orbit_names[];         /* the same order, for an OPTION_CHOICE row */

struct space {
    const char *name, *summary, *citation;
    const struct option *options; /* of its own, ended by a NULL key */
    /* Which patterns and orbits it has, by name, NULL-terminated ("generic" and "none" implied). */
    const char *const *patterns, *const *orbits;
    int axes;   /* of its layouts */
    bool graph; /* they have steps and degree */
    double (*neighbours)(const struct space_config *c); /* of a node, about; graphs only */
    /* Positions of a training sample, of the largest where they differ; NULL: c->length. */
    int64_t (*positions)(const struct space_config *c);
    const char *sized_by; /* where positions is set: the keys that space.length gives way to */
    int (*check)(const struct space_config *c, struct err *e);
    /* What is allowed but looks like a mistake, appended to out: the key that it is about, or NULL where
     * nothing does.  NULL: nothing ever does. */
    const char *(*doubt)(const struct space_config *c, struct text *out);
    /* The layout of the samples of evaluated length `length` (c->length when training), in `arena`.
     * Where each sample has a layout of its own: one that tables and memory can be sized by, of as
     * many positions and relations as any sample has. */
    int (*layout)(const struct space_config *c, int length, struct arena *arena,
                  struct layout *out, struct err *e);

    /* How many of a layout's first positions a sample has, where they differ: its relations are the
     * whole layout's.  NULL: all. */
    bool (*resizes)(const struct space_config *c);
    int (*least)(const struct space_config *c);
    int (*size)(const struct space_config *c, int length, struct stream *random);

    /* ---- spaces whose samples have layouts of their own; NULL for all others.  A relation id
     * means the same in all these layouts and in that of `layout`. */
    /* What drawing needs (the content of a file), in `arena`.  NULL: nothing. */
    int (*open)(const struct space_config *c, struct arena *arena, void **state, struct err *e);
    /* Draws the layout of a sample, of n positions where the space has no size of its own, into `arena`; what
     * drawing took besides is given back.  draws: whether it does; NULL: always. */
    bool (*draws)(const struct space_config *c);
    int (*draw)(const struct space_config *c, const void *state, int n, struct stream *random,
                struct arena *arena, struct layout *out, struct err *e);
    /* The layout of n positions at these places, which the caller keeps, of a line that has `line` of them, or,
     * where the space draws, as many as it draws from.  ERR_FORMAT. */
    int (*placed)(const struct space_config *c, int n, const int32_t *place, int line, struct arena *arena,
                  struct layout *out, struct err *e);
    /* The layout of n positions that the user gives as pairs of positions from 0, pair (pairs,2),
     * which pair_name says what they are ("edges").  ERR_FORMAT. */
    const char *pair_name;
    int (*given)(const struct space_config *c, int n, const int32_t *pair, int64_t pairs,
                 struct arena *arena, struct layout *out, struct err *e);
};

extern const struct space *const space_table[]; /* NULL-terminated */
extern const struct kind_table space_kinds;
extern const struct option space_options[]; /* rows of section `space`, `kind` and `inputs.*` too */
const struct space *space_of(const struct space_config *c);

/* Checks what no single row can (shares that sum to more than 1, a pattern that the space does not
 * have, the space's own check), sets share[PATTERN_GENERIC] to the rest, and length to the number
 * of positions of a space that has a size of its own.  ERR_USAGE; e->where names the key concerned
 * ("space.inputs"). */
int space_finish(struct space_config *c, struct err *e);
/* ERR_USAGE when the space does not have orbit_table[orbit]; e->where is "evaluate.orbit". */
int space_check_orbit(const struct space_config *c, int orbit, struct err *e);
/* Whether each sample's layout is drawn; whether samples have first positions of one layout, unequally
 * many; whether they have one layout. */
bool space_draws(const struct space_config *c);
bool space_resizes(const struct space_config *c);
static inline bool space_is_one(const struct space_config *c)
{
    return !space_draws(c) && !space_resizes(c);
}
/* Positions of a training sample, before space_finish too. */
int64_t space_positions(const struct space_config *c);

#endif
