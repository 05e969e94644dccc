/* Files named by specs; see the header for the form of a value. */
#include "base/named_file.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { HEX = HASH_TEXT - 1, PLACE_HEX = 16 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *named_file_path(const char *value)
{
    assert(!*value || strlen(value) > HEX + 1);
    return *value ? value + HEX + 1 : value;
}

/* Whether it is what named_file_append_place writes. */
static bool is_place(const char *name)
{
    return strspn(name, "0123456789abcdef") == PLACE_HEX && name[PLACE_HEX] == '/' &&
           !strchr(name + PLACE_HEX + 1, '/');
}

int named_file_resolve(char *out, size_t size, const char *beside, const char *name,
                       struct err *e)
{
    char path[FILE_PATH_MAX], hash[HASH_TEXT], *bytes = NULL;
    size_t count = 0, folder = *name == '/' ? 0 : (size_t)(base_name(beside) - beside);
    struct err cause = {0};
    assert(size > 0);
    out[0] = 0;
    if (!*name)
        return 0;
    int length = snprintf(path, sizeof path, "%.*s%s", (int)folder, beside, name);
    if (length < 0 || (size_t)length >= sizeof path || (size_t)length + HASH_TEXT >= size)
        return err_set(e, ERR_USAGE, NULL, "the path is too long; expected at most %zu bytes",
                       size - HASH_TEXT - 1);
    int code = file_read(path, NAMED_FILE_BYTES_MAX, &bytes, &count, &cause);
    if (code == ERR_MEMORY)
        return err_pass(e, &cause);
    if (code)
        return err_set(e, ERR_USAGE, NULL, "%s %s; expected a file, named relative to the spec",
                       path, cause.msg);
    hash_text(hash, bytes, count);
    memory_free(bytes);
    if (is_place(name) && strncmp(name, hash, PLACE_HEX) != 0)
        return err_set(e, ERR_USAGE, NULL, "%s was changed since it was copied there: its folder has the name of "
                                           "another content", path);
    snprintf(out, size, "%s %s", hash, path);
    return 0;
}

int named_file_size(const char *value, size_t *count, struct err *e)
{
    return file_size(named_file_path(value), count, e);
}

int named_file_read(const char *value, char **bytes, size_t *count, struct err *e)
{
    const char *path = named_file_path(value);
    char hash[HASH_TEXT];
    int code = file_read(path, NAMED_FILE_BYTES_MAX, bytes, count, e);
    if (code)
        return code;
    hash_text(hash, *bytes, *count);
    if (!strncmp(hash, value, HEX))
        return 0;
    memory_free(*bytes);
    *bytes = NULL;
    return err_set(e, ERR_IO, path, "has changed since the spec was read; start again");
}

void named_file_append_hash(struct text *t, const char *value)
{
    text_append_format(t, "%.*s", (int)HEX, value);
}

void named_file_append_place(struct text *t, const char *value)
{
    if (*value)
        text_append_format(t, "%.*s/%s", PLACE_HEX, value, base_name(named_file_path(value)));
}

/* Whether the file is there and whole; a copy may have been damaged since. */
static bool holds(const char *path, const char *bytes, size_t count)
{
    char *found = NULL;
    size_t size;
    bool same = file_exists(path) && !file_read(path, count, &found, &size, NULL) &&
                size == count && !memcmp(found, bytes, count);
    memory_free(found);
    return same;
}

static int copy_to(const char *folder, const char *beside, const char *source, const char *bytes,
                   size_t count, struct err *e)
{
    char path[FILE_PATH_MAX], known[FILE_PATH_MAX];
    int code = file_join(path, sizeof path, folder, base_name(source), e);
    if (code || holds(path, bytes, count))
        return code;
    code = file_make_folder(folder, e);
    if (!code && beside && !file_join(known, sizeof known, beside, base_name(source), NULL) &&
        holds(known, bytes, count) && file_link(known, path))
        return 0;
    return code ? code : file_write_like(path, source, bytes, count, e);
}

int named_file_copy(const char *value, const char *folder, const char *beside, struct err *e)
{
    char place[PLACE_HEX + 1], inner[FILE_PATH_MAX], known[FILE_PATH_MAX], *bytes = NULL;
    size_t count;
    if (!*value)
        return 0;
    snprintf(place, sizeof place, "%s", value);
    int code = file_join(inner, sizeof inner, folder, place, e);
    if (!code)
        code = named_file_read(value, &bytes, &count, e);
    if (beside && file_join(known, sizeof known, beside, place, NULL))
        beside = NULL;
    if (!code)
        code = copy_to(inner, beside ? known : NULL, named_file_path(value), bytes, count, e);
    memory_free(bytes);
    return code;
}
