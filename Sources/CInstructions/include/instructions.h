/// The instruction sets that C code of ours is compiled for, and what of them this processor has.
#pragma once

/// In this order: a processor has all that come before the best it has. Other processors than x86-64 have the baseline alone.
enum { tandem_baseline, tandem_x86_64_v3, tandem_x86_64_v4 };

/// The best that this processor has.
int tandem_best_instructions(void);
/// "x86-64-v4 (AVX-512)"
const char *tandem_instructions_name(int instructions);
/// Whether this processor multiplies bf16.
int tandem_multiplies_bf16(void);
