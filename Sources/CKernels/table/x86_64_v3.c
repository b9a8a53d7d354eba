#if defined(__x86_64__)
#define TARGET "avx2,bmi,bmi2,cx16,f16c,fma,lzcnt,movbe,popcnt,sahf"
#define KERNELS tandem_kernels_x86_64_v3
#include "table.h"
#endif
