/* Every command; one line here, one in command_table. */
#ifndef URPE_PROBE_COMMANDS_H
#define URPE_PROBE_COMMANDS_H
#include "command.h"

extern const struct command command_run;
extern const struct command command_check;
extern const struct command command_list;
extern const struct command command_bound;
extern const struct command command_card;
extern const struct command command_explain;
extern const struct command command_witness;
extern const struct command command_conditions;
extern const struct command command_report;
extern const struct command command_bench;
extern const struct command command_samples;
extern const struct command command_score;
extern const struct command command_predict;
extern const struct command command_evaluate;
extern const struct command command_completion;

#endif
