/* Private to base: where a file lies, as an open folder and a name in it.
 *
 * Invariant: no symbolic link was followed on the way, so the folder is the one that the path spells. */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H
#include <stdbool.h>
#include <stddef.h>

struct place {
    int folder;       /* a descriptor for the calls that end in "at"; -1: not open */
    const char *name; /* points into the path */
};

/* Opens the folder that the first `length` bytes of path name, making what is missing on request.
 * A descriptor, or -1 with errno, ELOOP for a link. */
int place_folder(const char *path, size_t length, bool make);
/* Opens the folder of `path`, which must outlive p.  0, or -1 with errno; close it in both cases. */
int place_open(struct place *p, const char *path);
void place_close(struct place *p);
/* What an errno of these, and of what is done in such a folder, means. */
const char *place_why(int number);

#endif
