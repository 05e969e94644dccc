/* One number of a construction, by its place; private to construct*.c. */
#ifndef THEORY_CONSTRUCT_ENTRY_H
#define THEORY_CONSTRUCT_ENTRY_H

enum construct_part {
    CONSTRUCT_EMBED,    /* at: register; reg: input channel or symbol */
    CONSTRUCT_PLACE,    /* at: position; reg: register */
    CONSTRUCT_QUERY,    /* at: channel of the table's head; reg: register */
    CONSTRUCT_KEY,      /* likewise */
    CONSTRUCT_VALUE,    /* likewise */
    CONSTRUCT_OUT,      /* likewise */
    CONSTRUCT_IN,       /* at: unit; reg: register */
    CONSTRUCT_UNIT_OUT, /* likewise */
    CONSTRUCT_HEAD      /* at: output; reg: register */
};

struct construct_entry {
    enum construct_part part;
    int layer, table, at, reg;
    double value; /* added to what is there */
};

#endif
