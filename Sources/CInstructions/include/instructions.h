/// The instruction sets that C code of ours is compiled for, and what of them this processor has.
#pragma once

/// In this order: a processor has all that come before the best it has. Other processors than x86-64 have the baseline alone.
enum { tandem_baseline, tandem_x86_64_v3, tandem_x86_64_v4 };

// What a function's `target` attribute says for each. By features, because "arch=x86-64-v4" makes loops of 256 bits.
#define TANDEM_X86_64_V3 "avx2,bmi,bmi2,cx16,f16c,fma,lzcnt,movbe,popcnt,sahf"
#define TANDEM_X86_64_V4 TANDEM_X86_64_V3 ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl"

/// The best that this processor has, or that the variable TANDEM_MAX_INSTRUCTIONS of the environment allows: avx512, avx2 or baseline. So a
/// machine shows what others compute, and how fast.
int tandem_best_instructions(void);
/// "x86-64-v4 (AVX-512)"
const char *tandem_instructions_name(int instructions);
/// Whether this processor multiplies bf16.
int tandem_multiplies_bf16(void);
