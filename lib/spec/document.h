/* A spec while it is being read, edited by --set and expanded; private to lib/spec.
 *
 *   text --node_parse--> root --set_edit--> root, set --document_read--> base, cases, axes, seeds
 *        --claims_read, exceptions_read--> claims, exceptions --expand--> cells
 *
 * Invariant: layers point into the node trees, which live in `arena` as long as the spec. */
#ifndef SPEC_DOCUMENT_H
#define SPEC_DOCUMENT_H
#include "spec/keys.h"
#include "spec/layer.h"
#include "spec/node.h"
#include "spec/spec.h"

enum { CELL_BLOCK = 256, AXES_MAX = 64, CHOICES_MAX = 1000, CLAIMS_MAX = 1000, FIGURES_MAX = 64 };
/* In axes of up to so many values none may come twice: comparing them takes 0.1 s. */
enum { REPEATED_MAX = 500 };

struct axis {
    const struct node *key;
    int count;
    struct layer *value; /* (count) */
};

struct case_key { /* one key of one case */
    const struct node *key;
    struct layer layer;
};
struct case_set {
    const struct case_key *key; /* (keys) */
    int keys;
    struct layer layer; /* of all of them */
};

struct exception { /* what all of these say is in no cell */
    const struct node *node;
    struct claim_where *where; /* (wheres) about keys alone */
    int wheres;
    bool met; /* by some combination */
};

/* Cells are large and alike: a cell is kept as the words in which it differs from the first one, and
 * written out when somebody asks for it, into the slot of one that was dropped or into a new one;
 * there is a slot for each, and memory that nobody asks for is never touched. */
struct cell_difference {
    uint16_t at; /* in words */
    uint64_t word;
};
struct cell_block {
    struct packed_cell {
        char id[SPEC_ID];
        struct cell *whole; /* written out here; NULL: not now */
        size_t first;       /* of its differences, in bytes of spec.differences */
        int differences;
    } *packed; /* (CELL_BLOCK, or as many as can be left) */
    union cell_slot {
        struct cell cell;
        union cell_slot *next; /* free one */
    } *slot; /* likewise */
};
struct cell_slots {
    union cell_slot *free; /* those of dropped cells */
    int used;              /* the first so many slots were used */
};

struct spec {
    struct arena arena;
    struct keys keys;
    struct layers layers;
    char *source;       /* the file's name in messages */
    const char *class_path, *beside; /* spec_open_class: whose model it has, and where it is; else NULL */
    struct node start;  /* its first place */
    struct node *root;  /* a map */
    struct node *set;   /* a map: dotted key -> value of each --set that makes no axis */
    struct layer base, set_layer;
    struct layer *preset; /* (presets) of preset.c; NULL: no cell names one yet */
    char name[SPEC_NAME_MAX + 1];
    int64_t *seed;
    int seeds;
    struct axis axis[AXES_MAX];
    int axes;
    struct case_set *set_of; /* (cases) cases; without any, one that says nothing */
    int cases;
    struct case_key *case_key; /* (case_keys) of all cases, one after the other */
    int case_keys;
    const char **vary; /* (varies) the keys that differ among cells */
    int varies;
    struct cell_block *block; /* (blocks) */
    struct cell_slots *slots;  /* asking for a cell changes nothing but these */
    int blocks, cells;
    struct text differences; /* of the cells */
    int *by_id; /* (room) a hash table of cells: 1 + index; 0: free.  room: a power of 2 */
    size_t room;
    struct exception *exception;
    int exceptions;
    struct claim *claim;
    int claims;
    const char **figure;
    int figures;
    char hash[HASH_TEXT];
};

/* The value of a key at the top of the document; NULL when absent or empty. */
const struct node *document_find(const struct spec *s, const char *key);

/* Key number k of those that cases and then the grid give; NULL after the last. */
const struct node *document_given(const struct spec *s, int k);
/* Whether the spec says a key at all. */
bool spec_gives(const struct spec *s, const char *key);

/* set.c: edits root and fills s->set.  set_key is one --set, whose value has been read. */
int set_open(struct spec *s, struct err *e);
int set_key(struct spec *s, const char *key, struct node *value, struct err *e);
int set_edit(struct spec *s, const char *const *set, int sets, struct err *e);
/* The key that a "KEY=VALUE" begins with, cut to what fits. */
void set_name(const char *text, char out[KEY_TEXT]);

/* class.c: edits root as the model of s->class_path says, but for what the --set replace, and then
 * gives up axes that have no meaning with a model whose layers are all said. */
int class_edit(struct spec *s, const char *const *set, int sets, struct err *e);
void class_settle(struct spec *s);

/* spec.c: what `path` holds, memory_free *bytes; *name is what messages call it. */
int spec_read_file(const char *path, const char **name, char **bytes, size_t *count, struct err *e);

/* document.c: name, seeds, sections, cases, grid, figures; every value checked on its own. */
int document_read(struct spec *s, struct err *e);

/* files.c: puts the values of named files in the place of their names, in all layers. */
int files_resolve(struct spec *s, struct err *e);

/* spec.c: where the cell of an id stands in s->by_id, or is to. */
int *spec_place(const struct spec *s, const char *id);

/* expand.c: cells, each checked as a whole. */
int expand(struct spec *s, struct err *e);

/* claims.c */
int claims_read(struct spec *s, struct err *e);
/* What a key or column must be, and the value or values that are asked of it.  pair: its key may not be
 * asked for. */
int where_read(struct spec *s, const struct node *key, const struct node *n, const struct pair *pair,
               struct claim_where *w, struct err *e);

/* except.c.  exceptions_meet: whether a combination is left out; marks the exception as met. */
int exceptions_read(struct spec *s, struct err *e);
bool exceptions_meet(struct spec *s, const struct cell *c);
/* ERR_USAGE at an exception that no combination met. */
int exceptions_check(const struct spec *s, struct err *e);

/* Fills e for a key that is wrong in one cell: at its node in `state`, or where the spec speaks of
 * it. */
int cell_error(const struct spec *s, const struct node *const *state, const struct err *cause,
               const char *section, struct err *e);

#endif
