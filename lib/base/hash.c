/* SHA-256 through nettle, as bytes and as text. */
#include <nettle/sha2.h>

#include "base/file.h"

_Static_assert(SHA256_DIGEST_SIZE == 32, "hash_bytes promises 32 bytes");

void hash_bytes(unsigned char out[32], const void *bytes, size_t count)
{
    struct sha256_ctx context;
    sha256_init(&context);
    if (count > 0)
        sha256_update(&context, count, bytes);
    sha256_digest(&context, SHA256_DIGEST_SIZE, out);
}

void hash_text(char out[HASH_TEXT], const void *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_SIZE];
    hash_bytes(digest, bytes, count);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[HASH_TEXT - 1] = '\0';
}
