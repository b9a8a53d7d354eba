#pragma once
#include <malloc.h>
#include <sys/prctl.h>

// Swift cannot call functions of a variable number of arguments.
static inline int tandem_signal_at_parents_end(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }
