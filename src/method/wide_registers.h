#pragma once

namespace neurontune {

// A loop over numbers is compiled twice, for any processor and for those with wide registers: the
// loop is NEURONTUNE_INLINE in two functions of which one is NEURONTUNE_WIDE, to be called where
// `has_wide_registers()`.
#if defined(__x86_64__) && defined(__GNUC__)
#define NEURONTUNE_WIDE __attribute__((target("avx2,fma,f16c")))
#define NEURONTUNE_INLINE inline __attribute__((always_inline))
inline bool has_wide_registers() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}
#else
#define NEURONTUNE_WIDE
#define NEURONTUNE_INLINE inline
inline bool has_wide_registers() { return false; }
#endif

}  // namespace neurontune
