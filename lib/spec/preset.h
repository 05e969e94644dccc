/* What model.preset stands for, as assignments below all that a spec says. */
#ifndef SPEC_PRESET_H
#define SPEC_PRESET_H
#include "spec/document.h"

/* Gives the slots of `state` that nothing has a value for the values of the preset that it names; an
 * option of a kind only where nothing chose the kind.  ERR_USAGE for an unknown name. */
int preset_apply(struct spec *s, const struct node **state, struct err *e);
/* Whether some cell of the spec has a preset and a preset gives the slot a value. */
bool preset_gives(const struct spec *s, int slot);

#endif
