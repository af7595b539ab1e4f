#pragma once

namespace neurontune {

// A loop over numbers is compiled twice, for any processor and for those with wide registers:
// NEURONTUNE_INLINE functions all the way down, begun by a lambda that is NEURONTUNE_INLINE_LAMBDA
// and given to `with_wide_registers`.
#if defined(__x86_64__) && defined(__GNUC__)
#define NEURONTUNE_WIDE __attribute__((target("avx2,fma,f16c")))
#define NEURONTUNE_INLINE_LAMBDA __attribute__((always_inline))
/// f16c is not asked for, which Clang 14 does not know: every processor with AVX2 has it.
inline bool has_wide_registers() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define NEURONTUNE_WIDE
#define NEURONTUNE_INLINE_LAMBDA
inline bool has_wide_registers() { return false; }
#endif
#define NEURONTUNE_INLINE inline NEURONTUNE_INLINE_LAMBDA

template <typename Work>
NEURONTUNE_WIDE void run_wide(const Work& work) {
  work();
}

/// Calls `work` where it was compiled for what this processor has.
template <typename Work>
void with_wide_registers(const Work& work) {
  static const bool wide = has_wide_registers();
  if (wide)
    run_wide(work);
  else
    work();
}

}  // namespace neurontune
