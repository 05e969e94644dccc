/* Growable text, numbers, and the distance between names.  Invariant: no function here depends on
 * the locale, and none reads or changes it. */
#include "base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- growing ----------------------------------------------------------------------------------*/

/* Room for `count` more bytes and the NUL. */
static bool text_reserve(struct text *t, size_t count)
{
    size_t needed;
    if (t->failed)
        return false;
    if (!memory_add(t->length, count, &needed) || !memory_add(needed, 1, &needed)) {
        t->failed = true;
        return false;
    }
    if (needed <= t->capacity)
        return true;
    if (t->fixed) {
        t->failed = true;
        return false;
    }
    size_t capacity;
    if (!memory_multiply(t->capacity, 2, &capacity) || capacity < needed)
        capacity = needed;
    if (capacity < 64)
        capacity = 64;
    char *data = memory_resize(t->data, capacity, 1, NULL);
    if (data == NULL) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void text_append_bytes(struct text *t, const void *bytes, size_t count)
{
    if (!text_reserve(t, count))
        return;
    if (count > 0)
        memcpy(t->data + t->length, bytes, count);
    t->length += count;
    t->data[t->length] = '\0';
}

void text_append(struct text *t, const char *s)
{
    text_append_bytes(t, s, strlen(s));
}

void text_append_format(struct text *t, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    if (length < 0)
        t->failed = true;
    else if (text_reserve(t, (size_t)length)) {
        vsnprintf(t->data + t->length, (size_t)length + 1, fmt, again);
        t->length += (size_t)length;
    }
    va_end(again);
    va_end(args);
}

int text_check(const struct text *t, struct err *e)
{
    if (t->failed)
        return err_set(e, ERR_MEMORY, NULL, "out of memory: a text of %zu bytes could not grow",
                       t->length);
    return 0;
}

void text_clear(struct text *t)
{
    t->length = 0;
    t->failed = false;
    if (t->data != NULL)
        t->data[0] = '\0';
}

void text_close(struct text *t)
{
    if (!t->fixed)
        memory_free(t->data);
    *t = (struct text){0};
}

/* ---- numbers to text --------------------------------------------------------------------------*/

/* Puts '.' for whatever bytes the locale has as decimal point: all that is not part of a number. */
static void point_normalise(char out[TEXT_NUMBER_MAX], const char *number)
{
    size_t n = 0;
    bool in_point = false;
    for (; *number != '\0' && n + 1 < TEXT_NUMBER_MAX; number++) {
        bool point = strchr("0123456789abcdefpx+-", *number) == NULL;
        if (!point)
            out[n++] = *number;
        else if (!in_point)
            out[n++] = '.';
        in_point = point;
    }
    out[n] = '\0';
}

const char *text_from_double(char out[TEXT_NUMBER_MAX], double value, int digits)
{
    assert(digits >= 1 && digits <= 17);
    if (isnan(value))
        return strcpy(out, "nan");
    if (isinf(value))
        return strcpy(out, value > 0 ? "inf" : "-inf");
    char number[64];
    if (fabs(value) < 1e15 && value == floor(value))
        snprintf(number, sizeof number, "%.0f", value);
    else
        snprintf(number, sizeof number, "%.*g", digits, value);
    point_normalise(out, number);
    return out;
}

const char *text_from_double_short(char out[TEXT_NUMBER_MAX], double value)
{
    double back;
    for (int digits = 15; digits < 17; digits++) {
        text_from_double(out, value, digits);
        if (text_to_double(out, &back) && back == value)
            return out;
    }
    return text_from_double(out, value, 17);
}

const char *text_from_double_exact(char out[TEXT_NUMBER_MAX], double value)
{
    char number[64];
    snprintf(number, sizeof number, "%a", value);
    point_normalise(out, number);
    return out;
}

/* ---- text to numbers --------------------------------------------------------------------------*/

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

/* The digits of `base` up to the end of s, at most `limit`. */
static bool digits_to_uint64(const char *s, unsigned base, uint64_t limit, uint64_t *out)
{
    uint64_t value = 0;
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        unsigned digit = (unsigned)digit_value(*s);
        if (digit >= base || value > (limit - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

bool text_to_int64(const char *s, int64_t *out)
{
    uint64_t value;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
        if (!digits_to_uint64(s + 2, s[1] == 'x' ? 16 : 8, INT64_MAX, &value))
            return false;
        *out = (int64_t)value;
        return true;
    }
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    if (!digits_to_uint64(s, 10, (uint64_t)INT64_MAX + negative, &value))
        return false;
    /* -(value - 1) - 1 reaches INT64_MIN without overflow. */
    *out = negative && value > 0 ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    return true;
}

static bool word_to_double(const char *s, double *out)
{
    static const struct {
        const char *word;
        double value;
    } words[] = {{".inf", INFINITY}, {".Inf", INFINITY}, {".INF", INFINITY}, {"inf", INFINITY},
                 {".nan", NAN}, {".NaN", NAN}, {".NAN", NAN}, {"nan", NAN}};
    double sign = *s == '-' ? -1 : 1;
    bool has_sign = *s == '-' || *s == '+';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(s + has_sign, words[i].word) == 0) {
            *out = sign * words[i].value;
            return !has_sign || !isnan(*out);
        }
    return false;
}

/* Copies [-+]?(\.d+|d+(\.d*)?)([eE][-+]?d+)? to `plain` without the point, the exponent moved to
 * make up for it: strtod then sees no decimal point and no locale matters.  `plain` needs
 * strlen(s) + 24 bytes. */
static bool number_without_point(const char *s, char *plain)
{
    size_t n = 0, digits = 0;
    int64_t exponent = 0, written = 0;
    if (*s == '-' || *s == '+')
        plain[n++] = *s++;
    for (; *s >= '0' && *s <= '9'; s++, digits++)
        plain[n++] = *s;
    if (*s == '.')
        for (s++; *s >= '0' && *s <= '9'; s++, digits++, exponent--)
            plain[n++] = *s;
    if (digits == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        bool negative = *++s == '-';
        if (*s == '-' || *s == '+')
            s++;
        if (*s == '\0')
            return false;
        for (; *s >= '0' && *s <= '9'; s++)
            if (written < INT64_MAX / 100) /* beyond that the result is 0 or too large anyway */
                written = written * 10 + (*s - '0');
        exponent += negative ? -written : written;
    }
    if (*s != '\0')
        return false;
    snprintf(plain + n, 24, "e%" PRId64, exponent);
    return true;
}

bool text_to_double(const char *s, double *out)
{
    int64_t whole;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
        if (!text_to_int64(s, &whole))
            return false;
        *out = (double)whole;
        return true;
    }
    if (word_to_double(s, out))
        return true;

    char small[128], *plain = small;
    size_t length = strlen(s);
    if (length + 24 > sizeof small && (plain = memory_alloc(length + 24, 1, NULL)) == NULL)
        return false;
    bool good = number_without_point(s, plain);
    if (good) {
        double value = strtod(plain, NULL);
        good = !isinf(value);
        if (good)
            *out = value;
    }
    if (plain != small)
        memory_free(plain);
    return good;
}

/* ---- what people read -------------------------------------------------------------------------*/

enum { SAY_MAX = 8192 };

int text_character(const char *s)
{
    static const struct {
        unsigned char mask, lead;
        unsigned least;
    } form[] = {{0x80, 0x00, 0x20}, {0xE0, 0xC0, 0xA0}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    const unsigned char *byte = (const unsigned char *)s;
    for (int more = 0; more < 4; more++) {
        unsigned code = byte[0] & (unsigned char)~form[more].mask;
        if ((byte[0] & form[more].mask) != form[more].lead)
            continue;
        for (int k = 1; k <= more; k++) {
            if ((byte[k] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (byte[k] & 0x3F);
        }
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        bool reorders = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
        return code < form[more].least || code > 0x10FFFF || surrogate || reorders || code == 0x7F ||
                       code == 0xFFFE || code == 0xFFFF
                   ? 0
                   : more + 1;
    }
    return 0;
}

/* Bytes of a newline, a tab or a change of colour ("ESC [ 0 m", "ESC [ 3x m", "ESC [ 1 ; 3x m"). */
static int layout_length(const char *s)
{
    if (*s == '\n' || *s == '\t')
        return 1;
    if (strncmp(s, "\x1b[0m", 4) == 0)
        return 4;
    int at = strncmp(s, "\x1b[1;3", 5) == 0 ? 5 : strncmp(s, "\x1b[3", 3) == 0 ? 3 : 0;
    return at && s[at] >= '0' && s[at] <= '7' && s[at + 1] == 'm' ? at + 2 : 0;
}

char *text_clean(char *s, bool layout)
{
    for (char *at = s; *at;) {
        int length = text_character(at);
        if (!length && layout)
            length = layout_length(at);
        if (!length)
            *at = '?';
        at += length ? length : 1;
    }
    return s;
}

void text_show(FILE *out, struct text *t)
{
    if (t->data)
        fputs(text_clean(t->data, true), out);
}

void text_say(FILE *out, const char *fmt, ...)
{
    char line[SAY_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    fprintf(out, "%s\n", text_clean(line, false));
    fflush(out);
}

/* ---- near names -------------------------------------------------------------------------------*/

enum { DISTANCE_LENGTH_MAX = 127 };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

int text_distance(const char *a, const char *b)
{
    size_t full_a = strlen(a), full_b = strlen(b);
    int n = (int)(full_a < DISTANCE_LENGTH_MAX ? full_a : DISTANCE_LENGTH_MAX);
    int m = (int)(full_b < DISTANCE_LENGTH_MAX ? full_b : DISTANCE_LENGTH_MAX);
    int rows[3][DISTANCE_LENGTH_MAX + 1];
    int *before = rows[0], *previous = rows[1], *current = rows[2];
    for (int j = 0; j <= m; j++)
        previous[j] = j;
    for (int i = 1; i <= n; i++) {
        current[0] = i;
        for (int j = 1; j <= m; j++) {
            int cost = a[i - 1] != b[j - 1];
            current[j] = min_int(min_int(previous[j], current[j - 1]) + 1, previous[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = min_int(current[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[m];
}

const char *text_nearest(const char *s, const char *const *names, int count)
{
    int length = (int)strlen(s);
    int limit = min_int((length + 2) / 3, length - 1); /* a third wrong is still a slip */
    const char *best = NULL;
    for (int i = 0; i < count; i++) {
        int distance = text_distance(s, names[i]);
        if (distance <= limit) {
            limit = distance - 1;
            best = names[i];
        }
    }
    return best;
}
