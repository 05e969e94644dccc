/* The keys of a spec, flattened from the option tables of the layers below.
 *
 * A slot is a key that takes one value.  A key that picks a kind has one slot for the kind and one
 * for each option name that any of its kinds has:
 *
 *   model.encoding           KIND   (model.encoding.kind names the same slot)
 *   model.encoding.buckets   OWN    (read by the row of whichever kind is chosen)
 *   model.heads              ROW
 *
 * Invariant: slots follow the order of the tables, an OWN slot always after its KIND. */
#ifndef SPEC_KEYS_H
#define SPEC_KEYS_H
#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/option.h"
#include "spec/node.h"
#include "spec/spec.h"

enum { KEY_TEXT = 96, SLOTS_MAX = 400 };

enum section_id {
    SECTION_SPACE,
    SECTION_TARGET,
    SECTION_MODEL,
    SECTION_TRAIN,
    SECTION_EVALUATE,
    SECTION_COUNT
};

struct section {
    const char *name;
    const struct option *options; /* ended by a NULL key */
    size_t offset, size;          /* in struct task */
};
extern const struct section section_table[SECTION_COUNT];

/* One after another; at most KEY_TEXT - 1 bytes.  Leaves are named for every cell and key that varies,
 * so no printf, which the libraries of BLAS can make slow. */
void key_join(char out[KEY_TEXT], const char *a, const char *b, const char *c);
/* The full name of a section's row; a KIND called "kind" is called as its section. */
void section_key(enum section_id id, const struct option *row, char out[KEY_TEXT]);

enum slot_type { SLOT_ROW, SLOT_KIND, SLOT_OWN };
struct slot {
    char key[KEY_TEXT];
    enum slot_type type;
    enum section_id section;
    const struct option *row;       /* OWN: the first row of that name that any of the kinds has */
    const struct kind_table *kinds; /* KIND and OWN */
    int kind_slot;                  /* KIND: itself; OWN: its KIND's; ROW: -1 */
    bool varies;                    /* the cases or the grid give it */
};

enum key_type {
    KEY_UNKNOWN,
    KEY_SLOT,
    KEY_KIND, /* "X.kind", the kind's slot without touching its options */
    KEY_GROUP /* "train", "space.inputs": keys below it */
};
struct key_name { /* whatever may be said of a key, each once */
    char text[KEY_TEXT];
    enum key_type type;
    int slot; /* -1: a GROUP */
};

struct keys {
    struct slot *slot;
    int count;
    int first[SECTION_COUNT + 1]; /* section s has slots first[s] .. first[s+1]-1 */
    struct key_name *name;
    int names;
};
/* Slots live until keys_close. */
int keys_open(struct keys *k, struct err *e);
void keys_close(struct keys *k);

enum key_type keys_find(const struct keys *k, const char *key, int *slot);
/* Whether key is `above` or lies below it. */
bool key_covers(const char *above, const char *key);
bool keys_overlap(const char *a, const char *b); /* one covers the other */
/* ERR_USAGE at `at`: unknown key, with the nearest known one or the keys that stand beside it.
 * at_top: keys that are no section may stand there too, as in --set seeds=3. */
int keys_unknown(const struct keys *k, const struct node *at, const char *given, bool at_top,
                 struct err *e);
/* One of those: name, seeds, grid ... */
bool key_is_top(const char *key);

/* The row `name` among a kind's own options, or NULL. */
const struct option *kind_row(const struct kind_table *kinds, int kind, const char *name);
/* The names of the kinds that have own option `name`, for messages. */
void kind_owners(const struct kind_table *kinds, const char *name, char *out, size_t size);

#endif
