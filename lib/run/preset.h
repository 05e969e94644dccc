/* What floors say of presets. */
#ifndef RUN_PRESET_H
#define RUN_PRESET_H
#include "base/err.h"

/* Whether networks of a preset, with model.prefix as given, tell positions of equal tokens apart: on
 * seven positions, or on graphs where it needs such.  seen: "yes", "no", or "" where it is defined on
 * neither. */
int preset_verdict(const char *preset, const char *prefix, const char **seen, struct err *e);

#endif
