/* gzip files by zlib's deflate, whose memory is ours (memory.h). */
#include "base/gzip.h"

#include <stdint.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/memory.h"

enum { GZIP_WRAPPER = 16, MEMORY_LEVEL = 8, CHUNK = 1 << 16 };

static voidpf take(voidpf e, uInt items, uInt size)
{
    return memory_alloc(items, size, e);
}

static void give(voidpf e, voidpf block)
{
    memory_free(block);
}

int gzip_append(struct text *out, const void *bytes, size_t count, struct err *e)
{
    unsigned char chunk[CHUNK];
    const unsigned char *next = bytes;
    z_stream z = {.zalloc = take, .zfree = give, .opaque = e};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(e, ERR_MEMORY, NULL, "no memory to compress %zu bytes", count);
    for (int ended = Z_OK; ended != Z_STREAM_END;) {
        if (z.avail_in == 0 && count > 0) {
            z.next_in = next;
            z.avail_in = count < CHUNK ? (uInt)count : CHUNK;
            next += z.avail_in;
            count -= z.avail_in;
        }
        z.next_out = chunk;
        z.avail_out = CHUNK;
        ended = deflate(&z, count ? Z_NO_FLUSH : Z_FINISH);
        text_append_bytes(out, chunk, CHUNK - z.avail_out);
    }
    deflateEnd(&z);
    return text_check(out, e);
}

int gzip_expand(struct text *out, const char *path, const void *bytes, size_t count, size_t limit,
                struct err *e)
{
    unsigned char chunk[CHUNK];
    z_stream z = {.zalloc = take, .zfree = give, .opaque = e, .next_in = bytes, .avail_in = (uInt)count};
    int state = count > UINT32_MAX ? Z_DATA_ERROR : inflateInit2(&z, MAX_WBITS + GZIP_WRAPPER);
    if (state == Z_MEM_ERROR)
        return ERR_MEMORY;
    size_t start = out->length;
    while (state == Z_OK && out->length - start <= limit) {
        z.next_out = chunk;
        z.avail_out = CHUNK;
        state = inflate(&z, Z_NO_FLUSH);
        text_append_bytes(out, chunk, CHUNK - z.avail_out);
    }
    inflateEnd(&z);
    if (state == Z_MEM_ERROR)
        return ERR_MEMORY;
    if (state != Z_STREAM_END || out->length - start > limit)
        return err_set(e, ERR_FORMAT, path, "is no whole gzip file of at most %zu bytes", limit);
    return text_check(out, e);
}
