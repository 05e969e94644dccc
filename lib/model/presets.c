/* The table of presets (presets.h). */
#include "model/presets.h"

#include <stddef.h>

#define PRESET_LINE(name, keys, lacks, source) {name, keys, lacks, source},
const struct preset preset_table[] = {PRESET_LIST(PRESET_LINE){NULL, NULL, NULL, NULL}};
#define ABSENT_LINE(name, reason) {name, reason},
const struct preset_absent preset_absent[] = {PRESET_ABSENT_LIST(ABSENT_LINE){NULL, NULL}};

int preset_count(void)
{
    return (int)(sizeof preset_table / sizeof *preset_table) - 1;
}
