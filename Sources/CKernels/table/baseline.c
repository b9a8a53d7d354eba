#define LANES 4
#define KERNELS tandem_kernels_baseline
#include "table.h"

#if defined(__x86_64__)
extern const tandem_kernels tandem_kernels_x86_64_v3, tandem_kernels_x86_64_v4;
#endif

const tandem_kernels *tandem_kernels_for(int instructions) {
#if defined(__x86_64__)
    if (instructions == tandem_x86_64_v4) return &tandem_kernels_x86_64_v4;
    if (instructions == tandem_x86_64_v3) return &tandem_kernels_x86_64_v3;
#else
    (void)instructions;
#endif
    return &tandem_kernels_baseline;
}
