/* Where the two sets of numeric objects meet: the second has "_double" behind each name. */
#include "run/run.h"

extern const struct trainer_api trainer_api_double;

const struct trainer_api *trainer_api_of(int precision)
{
    return precision == MODEL_DOUBLE ? &trainer_api_double : &trainer_api;
}
