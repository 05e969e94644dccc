/* Plans of layers (model/model.h): from the maps of a spec, and back to text. */
#ifndef SPEC_PLAN_H
#define SPEC_PLAN_H
#include "model/model.h"
#include "spec/keys.h"
#include "spec/value.h"

/* Whether a node has the form of a plan, a list of maps or {name: .., layers: [..]}; *maps is how
 * many.  ERR_USAGE at what does not fit. */
int plan_read(const char *key, const struct node *n, int *maps, struct err *e);
/* Fills the plan of a resolved section from the value of its slot, and settles it; a map is resolved
 * as the section would be with its keys in place of the section's. */
int plan_resolve(const struct keys *k, int slot, const struct node *const *state,
                 const struct node *absent, struct model_config *c, struct err *e);
/* Appends a plan as a spec would say it: what its kinds differ in. */
void plan_write(const struct model_plan *p, enum value_form form, struct text *t);
/* Appends its name, or what it differs in: "rope/none", "window x5/none". */
void plan_show(const struct model_plan *p, struct text *t);

#endif
