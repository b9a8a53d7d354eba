#include "instructions.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
/// The best that the environment allows.
static int allowed(void) {
    const char *name = getenv("TANDEM_MAX_INSTRUCTIONS");
    if (!name || !strcmp(name, "avx512")) return tandem_x86_64_v4;
    if (!strcmp(name, "avx2")) return tandem_x86_64_v3;
    if (!strcmp(name, "baseline")) return tandem_baseline;
    fprintf(stderr, "TANDEM_MAX_INSTRUCTIONS is '%s'; it may be avx512, avx2 or baseline\n", name);
    exit(1);
}

int tandem_best_instructions(void) {
    int best = __builtin_cpu_supports("x86-64-v4")   ? tandem_x86_64_v4
               : __builtin_cpu_supports("x86-64-v3") ? tandem_x86_64_v3
                                                     : tandem_baseline;
    int most = allowed();
    return best < most ? best : most;
}

const char *tandem_instructions_name(int instructions) {
    static const char *const names[] = {"x86-64", "x86-64-v3 (AVX2)", "x86-64-v4 (AVX-512)"};
    return names[instructions];
}

int tandem_multiplies_bf16(void) { return tandem_best_instructions() == tandem_x86_64_v4 && __builtin_cpu_supports("avx512bf16"); }
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
