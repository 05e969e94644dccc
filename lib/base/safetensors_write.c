/* Writing safetensors files.  Invariant: the header is padded with blanks to a multiple of 8 bytes
 * and tensors come by falling element size, so each one's place is a multiple of its element. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/safetensors.h"
#include "base/text.h"

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

static void json_string(struct text *t, const char *s)
{
    text_append(t, "\"");
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            text_append_format(t, "\\%c", c);
        else if (c < 0x20)
            text_append_format(t, "\\u%04x", c);
        else
            text_append_bytes(t, s, 1);
    }
    text_append(t, "\"");
}

static void json_metadata(struct text *t, const char *const *metadata)
{
    text_append(t, "\"__metadata__\":{");
    for (int i = 0; metadata[i] != NULL; i += 2) {
        text_append(t, i > 0 ? "," : "");
        json_string(t, metadata[i]);
        text_append(t, ":");
        json_string(t, metadata[i + 1]);
    }
    text_append(t, "}");
}

static void json_tensor(struct text *t, const struct safetensor *item, size_t begin, size_t end)
{
    json_string(t, item->name);
    text_append_format(t, ":{\"dtype\":\"%s\",\"shape\":[", safetensors_type_name(item->type));
    for (int i = 0; i < item->rank; i++)
        text_append_format(t, "%s%" PRId64, i > 0 ? "," : "", item->shape[i]);
    text_append_format(t, "],\"data_offsets\":[%zu,%zu]}", begin, end);
}

static void shape_assert(const struct safetensor *item)
{
    size_t count = 1;
    for (int i = 0; i < item->rank; i++)
        count *= (size_t)item->shape[i];
    assert(count == item->count && "the shape does not match the number of elements");
    (void)count;
}

static void header_write(struct text *t, const struct safetensor *const *item, int count,
                         const char *const *metadata)
{
    size_t at = 0;
    text_append(t, "{");
    if (metadata != NULL)
        json_metadata(t, metadata);
    for (int i = 0; i < count; i++) {
        shape_assert(item[i]);
        size_t bytes = item[i]->count * safetensors_type_size(item[i]->type);
        text_append(t, i > 0 || metadata != NULL ? "," : "");
        json_tensor(t, item[i], at, at + bytes);
        at += bytes;
    }
    text_append(t, "}");
    while (t->length % ALIGNMENT != 0 && !t->failed)
        text_append(t, " ");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct safetensor *const *)a)->name,
                  (*(const struct safetensor *const *)b)->name);
}

/* The items, those of 8 bytes first, otherwise in the order given; *order is the caller's. */
static int items_order(const char *path, const struct safetensor *item, int count,
                       const struct safetensor ***order, struct err *e)
{
    const struct safetensor **list = memory_alloc((size_t)count, sizeof *list, e);
    if (list == NULL)
        return ERR_MEMORY;
    for (int i = 0; i < count; i++)
        list[i] = &item[i];
    qsort(list, (size_t)count, sizeof *list, compare_names);
    for (int i = 1; i < count; i++)
        if (strcmp(list[i - 1]->name, list[i]->name) == 0) {
            int rc = err_set(e, ERR_USAGE, path, "two tensors have the name \"%s\"",
                             list[i]->name);
            memory_free(list);
            return rc;
        }
    int n = 0;
    for (size_t size = 8; size > 0; size /= 2)
        for (int i = 0; i < count; i++)
            if (safetensors_type_size(item[i].type) == size)
                list[n++] = &item[i];
    *order = list;
    return 0;
}

int safetensors_write(const char *path, const struct safetensor *item, int count,
                      const char *const *metadata, struct err *e)
{
    struct text header = {0}, file = {0};
    const struct safetensor **order = NULL;
    int rc = items_order(path, item, count, &order, e);
    if (rc != 0)
        return rc;
    header_write(&header, order, count, metadata);
    rc = text_check(&header, e);
    if (rc != 0)
        goto out;
    uint64_t length = header.length;
    text_append_bytes(&file, &length, LENGTH_BYTES);
    text_append_bytes(&file, header.data, header.length);
    for (int i = 0; i < count; i++)
        text_append_bytes(&file, order[i]->data,
                          order[i]->count * safetensors_type_size(order[i]->type));
    rc = text_check(&file, e);
    if (rc == 0)
        rc = file_write(path, file.data, file.length, e);
out:
    text_close(&file);
    text_close(&header);
    memory_free(order);
    return rc;
}
