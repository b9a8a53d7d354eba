#include "instructions.h"

#if defined(__x86_64__)
#define TARGET TANDEM_X86_64_V3
#define LANES 8
#define KERNELS tandem_kernels_x86_64_v3
#include "table.h"
#endif
