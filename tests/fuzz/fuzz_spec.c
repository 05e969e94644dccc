/* The spec reader under libFuzzer.  An input is a spec, then any number of --set texts, each behind
 * a byte 0.  A spec that is accepted must print, read back, and print the same again.
 *
 * Two kinds of input are passed over: those that name files, which would be read wherever they lie,
 * and those that ask for many seeds, since a hundred thousand cells are a second's work and no
 * other path. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "spec/spec.h"

enum { SETS_MAX = 6, CELLS_MAX = 2000, SEED_DIGITS = 2, SEED_REACH = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what, const char *text)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n%s\n", what, text);
    abort();
}

/* The resolved text of `text`; false where it is refused, which must come with a message. */
static bool resolve(const char *text, size_t size, const char *const *set, int sets,
                    struct text *out)
{
    struct spec *s = NULL;
    struct err e = {0};
    int code = spec_parse(&s, "fuzz.yaml", text, size, set, sets, &e);
    if (code) {
        check(s == NULL && e.code == code && e.msg[0], "refused without a reason", text);
        check(code == ERR_USAGE || code == ERR_MEMORY, "refused for another's fault", e.msg);
        return false;
    }
    bool small = spec_cells(s) <= CELLS_MAX;
    if (small) {
        check(spec_cells(s) > 0, "no cells", text);
        check(spec_text(s, out, &e) == 0, "cannot be printed", e.msg);
    }
    spec_close(s);
    return small;
}

/* More than SEED_DIGITS digits, or an exponent, soon after the word. */
static bool many_seeds(const uint8_t *data, size_t size)
{
    const uint8_t *at = data, *end = data + size;
    while ((at = memmem(at, (size_t)(end - at), "seeds", 5))) {
        int digits = 0;
        at += 5;
        for (const uint8_t *p = at; p < end && p < at + SEED_REACH; p++)
            digits += isdigit(*p) ? 1 : *p == 'e' || *p == 'x' || *p == 'o' ? SEED_DIGITS : 0;
        if (digits > SEED_DIGITS)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *set[SETS_MAX];
    int sets = 0;
    if (memmem(data, size, "file", 4) || many_seeds(data, size))
        return 0;
    char *bytes = memory_alloc(size + 1, 1, NULL);
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    size_t length = strlen(bytes);
    for (size_t at = length; at < size && sets < SETS_MAX; at += strlen(bytes + at))
        set[sets++] = bytes + ++at;
    struct text once = {0}, twice = {0};
    if (resolve(bytes, length, set, sets, &once)) {
        check(resolve(once.data, once.length, NULL, 0, &twice), "is refused", once.data);
        check(!strcmp(once.data, twice.data), "reads back to another spec", once.data);
    }
    text_close(&once);
    text_close(&twice);
    memory_free(bytes);
    return 0;
}
