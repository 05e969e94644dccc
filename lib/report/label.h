/* What tells the cells of an experiment apart, and how it is said. */
#ifndef REPORT_LABEL_H
#define REPORT_LABEL_H
#include "report/summary.h"
#include "spec/keys.h"

/* Whether s is the dotted key, or its kind: "model.encoding", "model.encoding.kind". */
bool is_key(const char *s, const char *key);

/* Fills r->axes from r->spec, sorted by name. */
int axes_open(struct results *r, struct err *e);
/* Sorts specs of one name by the values of their first cells along the axes, numbers as such. */
void axes_sort(struct results *r);
/* In what spec s differs from others of its name in r: "model.encoding=t5, train.steps=5"; "seeds 0..4"
 * where only these are others, "spec 12ab..." where the values of an axis are; nothing where it is alone. */
void axes_append_spec(struct text *out, const struct results *r, const struct spec *s);
/* Appends "key=value key=value ..." of a cell, without the seed, and of the axes that cell `but` does
 * not have where that is not NULL.  A value with blanks, quotes or backslashes is quoted as in a
 * shell: target.y="x[i] + 1". */
void axes_append(struct text *out, const struct axes *axes, const struct cell *c,
                 const struct cell *but);

/* Whether an axis is among what every line shows by name: target, encoding, attention, length (that
 * is trained or evaluated), seed. */
bool axis_is_named(const char *axis);

/* "t5 buckets=32": the name that key "target" or "model.encoding" picks, and its options that vary.
 * except: keys that are left out with all below them, ended by NULL; NULL: none. */
void label_append_kind(struct text *out, const struct summary_group *g, const char *key,
                       const char *const *except);
/* "gain t5 buckets=32 urpe layers=2": target, encoding, attention, and every other axis. */
void label_append(struct text *out, const struct summary_group *g, const char *const *except);
/* The same with " n=16" where there are several lengths. */
void label_append_line(struct text *out, const struct summary_group *g, bool lengths);

#endif
