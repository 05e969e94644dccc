/* A file that is written piece by piece, however large, and takes its place when it is whole.
 *
 * Invariant: the file under its final name is the old one or the whole new one, whatever happens in
 * between; what a killed process left is removed by the next output in that folder; no symbolic link
 * is followed (file.h). */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H
#include "base/err.h"
#include "base/file.h"
#include "base/place.h"
#include "base/text.h"

enum { OUTPUT_TEMPORARY = 48 };

struct output {
    char path[FILE_PATH_MAX], temporary[OUTPUT_TEMPORARY];
    struct place place; /* of path, and of temporary */
    int fd;             /* -1: not open */
    struct text buffer; /* append here, then call output_flush now and then */
};
/* Starts folder/name under a temporary name. */
int output_open(struct output *o, const char *folder, const char *name, struct err *e);
/* Writes the buffer out once it is large. */
int output_flush(struct output *o, struct err *e);
/* Writes the rest and renames; a file with the same content already there is left untouched. */
int output_commit(struct output *o, struct err *e);
/* Removes what an uncommitted output wrote; after a commit it only frees. */
void output_close(struct output *o);

#endif
