#if defined(__x86_64__)
// By its features: "arch=x86-64-v4" would give loops of 256 bits.
#define TARGET "avx2,bmi,bmi2,cx16,f16c,fma,lzcnt,movbe,popcnt,sahf,avx512f,avx512bw,avx512cd,avx512dq,avx512vl"
#define KERNELS tandem_kernels_x86_64_v4
#include "table.h"
#endif
