#include "instructions.h"

#if defined(__x86_64__)
int tandem_best_instructions(void) {
    return __builtin_cpu_supports("x86-64-v4") ? tandem_x86_64_v4
           : __builtin_cpu_supports("x86-64-v3") ? tandem_x86_64_v3
                                                 : tandem_baseline;
}

const char *tandem_instructions_name(int instructions) {
    static const char *const names[] = {"x86-64", "x86-64-v3 (AVX2)", "x86-64-v4 (AVX-512)"};
    return names[instructions];
}

int tandem_multiplies_bf16(void) { return __builtin_cpu_supports("avx512bf16") != 0; }
#else
int tandem_best_instructions(void) { return tandem_baseline; }

const char *tandem_instructions_name(int instructions) {
    (void)instructions;
#if defined(__aarch64__)
    return "arm64";
#else
    return "generic";
#endif
}

int tandem_multiplies_bf16(void) { return 0; }
#endif
