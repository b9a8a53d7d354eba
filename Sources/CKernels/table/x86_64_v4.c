#include "instructions.h"

#if defined(__x86_64__)
#define TARGET TANDEM_X86_64_V4
#define LANES 16
#define KERNELS tandem_kernels_x86_64_v4
#include "table.h"
#endif
