/* Safetensors files: checking what was read, and writing.  Invariant: after a read without error
 * the tensors lie in file order, cover the data part exactly, have names of their own, and each
 * `data` is 8-byte aligned and `count` elements long. */
#include "base/safetensors.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data is little-endian and used in place"
#endif

enum {
    LENGTH_BYTES = 8,
    ALIGNMENT = 8,
    HEADER_MAX = 100 * 1000 * 1000, /* as in the reference implementation */
    NESTING_MAX = 8,                /* a valid header needs 3 */
    VALUES_MAX = 20 * SAFETENSORS_COUNT_MAX /* a tensor has at most 16 */
};

static const double whole_max = 9007199254740991.0; /* 2^53 - 1: cJSON's numbers are doubles */

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [SAFETENSORS_F32] = {"F32", 4},
    [SAFETENSORS_F64] = {"F64", 8},
    [SAFETENSORS_I32] = {"I32", 4},
    [SAFETENSORS_I64] = {"I64", 8},
    [SAFETENSORS_U8] = {"U8", 1},
    [SAFETENSORS_BOOL] = {"BOOL", 1},
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

const char *safetensors_type_name(enum safetensors_type type)
{
    return types[type].name;
}

const char *safetensors_place(char out[SAFETENSORS_PLACE], const struct safetensor *t, size_t i)
{
    size_t at[SAFETENSORS_RANK_MAX];
    for (int k = t->rank - 1; k >= 0; k--) {
        at[k] = i % (size_t)t->shape[k];
        i /= (size_t)t->shape[k];
    }
    int used = snprintf(out, SAFETENSORS_PLACE, "%.16s[", t->name);
    for (int k = 0; k < t->rank && used < SAFETENSORS_PLACE - 16; k++)
        used += snprintf(out + used, SAFETENSORS_PLACE - (size_t)used, "%s%zu", k ? "," : "", at[k]);
    snprintf(out + used, SAFETENSORS_PLACE - (size_t)used, "]");
    return out;
}

size_t safetensors_type_size(enum safetensors_type type)
{
    return types[type].size;
}

double safetensors_number(const struct safetensor *t, size_t i)
{
    switch (t->type) {
    case SAFETENSORS_F32: return (double)((const float *)t->data)[i];
    case SAFETENSORS_F64: return ((const double *)t->data)[i];
    default: return (double)safetensors_whole(t, i);
    }
}

int64_t safetensors_whole(const struct safetensor *t, size_t i)
{
    switch (t->type) {
    case SAFETENSORS_I32: return ((const int32_t *)t->data)[i];
    case SAFETENSORS_I64: return ((const int64_t *)t->data)[i];
    case SAFETENSORS_U8:
    case SAFETENSORS_BOOL: return ((const unsigned char *)t->data)[i];
    default: return (int64_t)safetensors_number(t, i);
    }
}

/* ---- reading ----------------------------------------------------------------------------------*/

struct entry {
    struct safetensor tensor;
    size_t begin, end; /* in the data part */
};

/* Whether `json` may be given to the parser: bounded depth and number of values, so that a small
 * file cannot ask for much memory, and no character that would end a name early. */
static int header_scan(const char *where, const char *json, size_t length, struct err *e)
{
    bool in_string = false;
    size_t depth = 0, values = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)json[i];
        bool blank = c == ' ' || (!in_string && (c == '\t' || c == '\n' || c == '\r'));
        if (c < 0x20 && !blank)
            return err_set(e, ERR_FORMAT, where, "the header has a control character at byte %zu",
                           LENGTH_BYTES + i);
        if (in_string && c == '\\') {
            if (length - i > 5 && memcmp(json + i, "\\u0000", 6) == 0)
                return err_set(e, ERR_FORMAT, where, "the header has a NUL in a string");
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            depth += c == '{' || c == '[';
            values += c == '{' || c == '[' || c == ',';
            if ((c == '}' || c == ']') && depth > 0)
                depth--;
        }
        if (depth > NESTING_MAX)
            return err_set(e, ERR_FORMAT, where, "the header is nested too deeply");
        if (values > VALUES_MAX)
            return err_set(e, ERR_FORMAT, where, "the header has too many values");
    }
    return 0;
}

/* The header as JSON; *data_start: where the data part begins. */
static int header_parse(const char *where, const char *bytes, size_t size, cJSON **out,
                        size_t *data_start, struct err *e)
{
    if (size < LENGTH_BYTES)
        return err_set(e, ERR_FORMAT, where, "%zu bytes are too short for a safetensors file",
                       size);
    uint64_t length;
    memcpy(&length, bytes, LENGTH_BYTES);
    if (length > HEADER_MAX)
        return err_set(e, ERR_FORMAT, where,
                       "not a safetensors file: a header length %" PRIu64 " is above the limit of %d "
                       "bytes", length,
                       HEADER_MAX);
    if (length > size - LENGTH_BYTES)
        return err_set(e, ERR_FORMAT, where,
                       "not a whole safetensors file: the header length %" PRIu64 " reaches beyond the "
                       "end", length);
    const char *json = bytes + LENGTH_BYTES;
    if (length == 0 || json[0] != '{')
        return err_set(e, ERR_FORMAT, where, "not a safetensors file: the header does not begin with '{'");
    int rc = header_scan(where, json, length, e);
    if (rc != 0)
        return rc;

    const char *end = json;
    cJSON *header = cJSON_ParseWithLengthOpts(json, length, &end, false);
    if (header == NULL)
        return err_set(e, ERR_FORMAT, where, "the header is not valid JSON near byte %td",
                       end - bytes);
    for (; end < json + length; end++)
        if (strchr(" \t\n\r", *end) == NULL) {
            cJSON_Delete(header);
            return err_set(e, ERR_FORMAT, where, "the header has text behind its JSON object");
        }
    *out = header;
    *data_start = LENGTH_BYTES + length;
    return 0;
}

static int tensor_error(const char *where, const char *name, const char *what, struct err *e)
{
    return err_set(e, ERR_FORMAT, where, "tensor \"%s\": %s", name, what);
}

/* A number that is whole, not negative and exact as a double. */
static int whole_read(const char *where, const char *name, const char *key, int index,
                      const cJSON *value, int64_t *out, struct err *e)
{
    char number[TEXT_NUMBER_MAX] = "not a number";
    double x = cJSON_IsNumber(value) ? value->valuedouble : -1;
    if (x >= 0 && x <= whole_max && x == floor(x)) {
        *out = (int64_t)x;
        return 0;
    }
    if (cJSON_IsNumber(value))
        text_from_double(number, x, 17);
    return err_set(e, ERR_FORMAT, where,
                   "tensor \"%s\": %s[%d] is %s; expected a whole number from 0 to %" PRId64, name,
                   key, index, number, (int64_t)whole_max);
}

static int type_read(const char *where, const cJSON *value, struct safetensor *t, struct err *e)
{
    if (!cJSON_IsString(value))
        return tensor_error(where, t->name, "dtype is not a string", e);
    for (int i = 0; i < TYPE_COUNT; i++)
        if (strcmp(value->valuestring, types[i].name) == 0) {
            t->type = (enum safetensors_type)i;
            return 0;
        }
    return err_set(e, ERR_FORMAT, where,
                   "tensor \"%s\": dtype \"%.20s\" is not known; expected F32, F64, I32, I64, U8 or BOOL",
                   t->name, value->valuestring);
}

static int shape_read(const char *where, const cJSON *value, struct safetensor *t, struct err *e)
{
    if (!cJSON_IsArray(value))
        return tensor_error(where, t->name, "shape is not a list", e);
    t->count = 1;
    const cJSON *number;
    cJSON_ArrayForEach(number, value)
    {
        if (t->rank == SAFETENSORS_RANK_MAX)
            return err_set(e, ERR_FORMAT, where,
                           "tensor \"%s\": shape has more than %d dimensions", t->name,
                           SAFETENSORS_RANK_MAX);
        int64_t *dimension = &t->shape[t->rank];
        int rc = whole_read(where, t->name, "shape", t->rank, number, dimension, e);
        if (rc != 0)
            return rc;
        if (!memory_multiply(t->count, (size_t)*dimension, &t->count))
            return tensor_error(where, t->name, "shape has more elements than can be counted", e);
        t->rank++;
    }
    return 0;
}

static int offsets_read(const char *where, const cJSON *value, size_t data_size, struct entry *n,
                        struct err *e)
{
    const char *name = n->tensor.name;
    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) != 2)
        return tensor_error(where, name, "data_offsets is not a list of two numbers", e);
    int64_t offset[2];
    for (int i = 0; i < 2; i++) {
        const cJSON *number = cJSON_GetArrayItem(value, i);
        int rc = whole_read(where, name, "data_offsets", i, number, &offset[i], e);
        if (rc != 0)
            return rc;
    }
    if (offset[0] > offset[1])
        return tensor_error(where, name, "data_offsets end before they begin", e);
    if ((uint64_t)offset[1] > data_size)
        return err_set(e, ERR_FORMAT, where,
                       "tensor \"%s\": data_offsets end at %" PRId64
                       ", beyond the %zu bytes of data",
                       name, offset[1], data_size);
    n->begin = (size_t)offset[0];
    n->end = (size_t)offset[1];
    return 0;
}

/* cJSON keeps repeated keys and its look-up ignores case, so the keys are gone through here. */
static int members_find(const char *where, const cJSON *object, const char *const keys[3],
                        const cJSON *found[3], struct err *e)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        int k = 0;
        while (k < 3 && strcmp(member->string, keys[k]) != 0)
            k++;
        if (k == 3)
            return err_set(e, ERR_FORMAT, where, "tensor \"%s\": unknown key \"%.40s\"",
                           object->string, member->string);
        if (found[k] != NULL)
            return err_set(e, ERR_FORMAT, where, "tensor \"%s\": key \"%s\" is given twice",
                           object->string, keys[k]);
        found[k] = member;
    }
    for (int k = 0; k < 3; k++)
        if (found[k] == NULL)
            return err_set(e, ERR_FORMAT, where, "tensor \"%s\": key \"%s\" is missing",
                           object->string, keys[k]);
    return 0;
}

static int entry_read(const char *where, const cJSON *object, size_t data_size, struct entry *n,
                      struct err *e)
{
    static const char *const keys[3] = {"dtype", "shape", "data_offsets"};
    const cJSON *value[3] = {NULL, NULL, NULL};
    struct safetensor *t = &n->tensor;
    if (strlen(object->string) >= sizeof t->name)
        return err_set(e, ERR_FORMAT, where,
                       "tensor \"%.40s...\": the name is longer than %d bytes", object->string,
                       SAFETENSORS_NAME_MAX - 1);
    strcpy(t->name, object->string);
    if (!cJSON_IsObject(object))
        return tensor_error(where, t->name, "not an object", e);
    int rc = members_find(where, object, keys, value, e);
    if (rc == 0)
        rc = type_read(where, value[0], t, e);
    if (rc == 0)
        rc = shape_read(where, value[1], t, e);
    if (rc == 0)
        rc = offsets_read(where, value[2], data_size, n, e);
    if (rc != 0)
        return rc;
    size_t bytes;
    if (!memory_multiply(t->count, types[t->type].size, &bytes) || bytes != n->end - n->begin)
        return err_set(e, ERR_FORMAT, where,
                       "tensor \"%s\": %zu elements of %s do not fill %zu bytes", t->name, t->count,
                       types[t->type].name, n->end - n->begin);
    return 0;
}

static int metadata_check(const char *where, const cJSON *object, struct err *e)
{
    const cJSON *member;
    if (!cJSON_IsObject(object))
        return err_set(e, ERR_FORMAT, where, "__metadata__ is not an object");
    cJSON_ArrayForEach(member, object)
    {
        if (!cJSON_IsString(member))
            return err_set(e, ERR_FORMAT, where,
                           "__metadata__: the value of \"%.40s\" is not a string", member->string);
    }
    return 0;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the names and compares neighbours. */
static int names_check(const char *where, const char **name, size_t count, int code, struct err *e)
{
    qsort(name, count, sizeof *name, compare_text);
    for (size_t i = 1; i < count; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            return err_set(e, code, where, "the name \"%.80s\" is given twice", name[i]);
    return 0;
}

static int keys_check(const char *where, const cJSON *header, size_t count, struct err *e)
{
    const char **name = memory_alloc(count, sizeof *name, e);
    if (name == NULL)
        return ERR_MEMORY;
    size_t n = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, header)
    {
        name[n++] = member->string;
    }
    int rc = names_check(where, name, n, ERR_FORMAT, e);
    memory_free(name);
    return rc;
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

/* Entries in file order must follow one another from 0 to data_size. */
static int cover_check(const char *where, const struct entry *entry, int count, size_t data_size,
                       struct err *e)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (entry[i].begin < at)
            return err_set(e, ERR_FORMAT, where, "tensor \"%s\": overlaps tensor \"%s\"",
                           entry[i].tensor.name, entry[i - 1].tensor.name);
        if (entry[i].begin > at)
            return err_set(e, ERR_FORMAT, where,
                           "tensor \"%s\": a gap of %zu bytes before its data",
                           entry[i].tensor.name, entry[i].begin - at);
        at = entry[i].end;
    }
    if (at != data_size)
        return err_set(e, ERR_FORMAT, where, "the last %zu bytes of data belong to no tensor",
                       data_size - at);
    return 0;
}

static int entries_read(const char *where, const cJSON *header, size_t data_size,
                        struct entry **out, int *count, struct err *e)
{
    size_t members = (size_t)cJSON_GetArraySize(header);
    if (members > SAFETENSORS_COUNT_MAX)
        return err_set(e, ERR_FORMAT, where, "%zu tensors; at most %d are read", members,
                       SAFETENSORS_COUNT_MAX);
    int rc = keys_check(where, header, members, e);
    if (rc != 0)
        return rc;
    struct entry *entry = memory_alloc(members, sizeof *entry, e);
    if (entry == NULL)
        return ERR_MEMORY;
    int n = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, header)
    {
        if (strcmp(member->string, "__metadata__") == 0)
            rc = metadata_check(where, member, e);
        else
            rc = entry_read(where, member, data_size, &entry[n++], e);
        if (rc != 0)
            goto out;
    }
    qsort(entry, (size_t)n, sizeof *entry, compare_entries);
    rc = cover_check(where, entry, n, data_size, e);
    if (rc != 0)
        goto out;
    *out = entry;
    *count = n;
    entry = NULL;
out:
    memory_free(entry);
    return rc;
}

static size_t tensor_bytes(const struct safetensor *t)
{
    return t->count * types[t->type].size;
}

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Moves the tensors to aligned places when one of them has none; the format allows any offset. */
static int tensors_align(struct safetensors *s, struct err *e)
{
    size_t total = 0;
    bool good = true;
    for (int i = 0; i < s->count; i++) {
        good = good && (uintptr_t)s->item[i].data % ALIGNMENT == 0;
        total += aligned(tensor_bytes(&s->item[i])); /* at most 7 more than in the file */
    }
    if (good)
        return 0;
    char *bytes = memory_alloc(total, 1, e), *at = bytes;
    if (bytes == NULL)
        return ERR_MEMORY;
    for (int i = 0; i < s->count; i++) {
        size_t size = tensor_bytes(&s->item[i]);
        memcpy(at, s->item[i].data, size);
        s->item[i].data = at;
        at += aligned(size);
    }
    memory_free(s->bytes);
    s->bytes = bytes;
    return 0;
}

int safetensors_parse(const char *where, char *bytes, size_t size, struct safetensors *out,
                      struct err *e)
{
    *out = (struct safetensors){.bytes = bytes};
    cJSON *header = NULL;
    struct entry *entry = NULL;
    size_t data_start = 0;
    int count = 0;
    int rc = header_parse(where, bytes, size, &header, &data_start, e);
    if (rc == 0)
        rc = entries_read(where, header, size - data_start, &entry, &count, e);
    if (rc != 0)
        goto out;
    out->item = memory_alloc((size_t)count, sizeof *out->item, e);
    if (out->item == NULL) {
        rc = ERR_MEMORY;
        goto out;
    }
    out->count = count;
    for (int i = 0; i < count; i++) {
        out->item[i] = entry[i].tensor;
        out->item[i].data = bytes + data_start + entry[i].begin;
    }
    rc = tensors_align(out, e);
out:
    memory_free(entry);
    cJSON_Delete(header);
    if (rc != 0)
        safetensors_close(out);
    return rc;
}

int safetensors_read(const char *path, size_t limit, struct safetensors *out, struct err *e)
{
    char *bytes;
    size_t size;
    *out = (struct safetensors){0};
    int rc = file_read(path, limit, &bytes, &size, e);
    return rc != 0 ? rc : safetensors_parse(path, bytes, size, out, e);
}

const struct safetensor *safetensors_find(const struct safetensors *s, const char *name)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->item[i].name, name) == 0)
            return &s->item[i];
    return NULL;
}

void safetensors_close(struct safetensors *s)
{
    memory_free(s->item);
    memory_free(s->bytes);
    *s = (struct safetensors){0};
}
