#pragma once
#include <malloc.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Swift cannot call functions of a variable number of arguments.
static inline int tandem_signal_at_parents_end(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

// The cores that this process may run on, a bit each: as the system gives them, without the types of cpu_set_t.
static inline int tandem_allowed_cores(uint64_t *mask, int words) { return (int)syscall(SYS_sched_getaffinity, 0, 8 * words, mask); }
