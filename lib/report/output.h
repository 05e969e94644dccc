/* A file that is written piece by piece, however large, and takes its place when it is whole. */
#ifndef REPORT_OUTPUT_H
#define REPORT_OUTPUT_H
#include "base/err.h"
#include "base/text.h"

enum { OUTPUT_PATH_MAX = 4096 };

struct output {
    char path[OUTPUT_PATH_MAX], temporary[OUTPUT_PATH_MAX];
    int fd;             /* -1: not open */
    struct text buffer; /* append here, then call output_flush now and then */
};
/* Starts folder/name under a temporary name.  Only the holder of the folder's lock may. */
int output_open(struct output *o, const char *folder, const char *name, struct err *e);
/* Writes the buffer out once it is large. */
int output_flush(struct output *o, struct err *e);
/* Writes the rest and renames; a file with the same content already there is left untouched. */
int output_commit(struct output *o, struct err *e);
/* Removes what an uncommitted output wrote; after a commit it only frees. */
void output_close(struct output *o);

#endif
