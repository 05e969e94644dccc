/* The safetensors reader under libFuzzer: what is accepted must lie within the file, and every
 * element must be there to be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/safetensors.h"
#include "help_fuzz.h"

/* Returns how many bytes the tensor has. */
static size_t check_tensor(const struct safetensors *s, const struct safetensor *t, size_t size)
{
    size_t bytes = t->count * safetensors_type_size(t->type), count = 1;
    unsigned sum = 0;
    check(t->rank >= 0 && t->rank <= SAFETENSORS_RANK_MAX, "rank");
    for (int k = 0; k < t->rank; k++)
        count *= (size_t)t->shape[k];
    check(count == t->count && bytes <= size, "count");
    for (size_t k = 0; k < bytes; k++)
        sum += ((const unsigned char *)t->data)[k];
    check(sum <= 255u * bytes && strlen(t->name) < SAFETENSORS_NAME_MAX, "content");
    check(safetensors_find(s, t->name) != NULL, "a tensor cannot be found by its name");
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors s;
    struct err e = {0};
    char *bytes = memory_alloc(size, 1, NULL);
    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    int code = safetensors_parse("fuzz", bytes, size, &s, &e);
    if (code) {
        check(code == e.code && e.msg[0] && (code == ERR_FORMAT || code == ERR_MEMORY), "reason");
        return 0;
    }
    uint64_t header;
    size_t total = sizeof header;
    memcpy(&header, data, sizeof header);
    for (int k = 0; k < s.count; k++)
        total += check_tensor(&s, &s.item[k], size);
    check(total + header == size, "a gap or an overlap");
    safetensors_close(&s);
    return 0;
}
