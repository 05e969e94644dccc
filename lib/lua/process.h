/* The process that a user's code runs in, so that it can be ended whatever it does: between two looks
 * of the sandbox one instruction can take for ever.  base/child.h starts it. */
#ifndef LUA_PROCESS_H
#define LUA_PROCESS_H
#include "base/child.h"
#include "lua/sandbox.h"

/* In the process, first of all: signals meant for the program, or for all, leave it alone. */
void process_enter(void);
/* In the process: from now on it lasts as long as limits allow; NULL: as long as it likes. */
void process_limit(const struct sandbox_limits *limits);
/* Outside: waits for it and says why it ended.  `name`: of the code, as in Lua's messages. */
int process_say_end(struct child *c, const char *name, const struct sandbox_limits *limits,
                    struct err *e);

#endif
