/* Errors are values: a function that can fail returns 0, or a negative code after filling the
 * caller's struct err.  Invariant: a filled message is only ever extended, never replaced, so the
 * innermost cause is always the one that the user reads. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_code {
    ERR_USAGE = -1,       /* command line or spec is wrong; exit status 2 */
    ERR_IO = -2,          /* a file could not be read, written or locked; exit status 3 */
    ERR_MEMORY = -3,      /* an allocation failed or would not fit; exit status 3 */
    ERR_FORMAT = -4,      /* a file's content is not what it should be; exit status 3 */
    ERR_NUMERIC = -5,     /* NaN, Inf or a failed numeric routine */
    ERR_INTERRUPTED = -6, /* SIGINT or SIGTERM was seen */
    ERR_EVALUATION = -7   /* a user's own expression failed */
};

struct err {
    int code;        /* 0 when nothing went wrong */
    char where[320]; /* "file:line:col", a path, or "" */
    char msg[960];   /* what is wrong; what was expected; what to do */
};

/* Fills e (which may be NULL) and returns code.  `where` may be NULL.  An e that already holds an
 * error keeps it. */
int err_set(struct err *e, int code, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Hands a lower function's error on: fills e (which may be NULL, and keeps what it holds) from
 * cause and returns cause's code, 0 for an empty one. */
int err_pass(struct err *e, const struct err *cause);

/* Puts "<context>: " before the message of a filled e and returns its code. */
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text of errno value `number`, safe from several threads; stays valid until the thread's
 * next call. */
const char *err_system(int number);

/* The exit status that belongs to a code: 0, 1, 2 or 3. */
int err_exit_status(int code);

#endif
