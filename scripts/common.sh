# shellcheck shell=bash
# Sourced by setup, test and demo: names and times the steps, and says plainly what went wrong.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Where the time went, "seconds name" a step; kept across the scripts that one command runs.
if [[ -z ${NEURONTUNE_STEPS:-} ]]; then
  NEURONTUNE_STEPS=$(mktemp)
  export NEURONTUNE_STEPS
  trap 'rm -f "$NEURONTUNE_STEPS"' EXIT
fi

# die TEXT…: the last line of a run that cannot go on.
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step NAME COMMAND…: runs the command and notes how long it took.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '== %s\n' "$name"
  # Not in a condition: `set -e` must go on holding inside the command.
  set +e
  (set -e; "$@")
  status=$?
  set -e
  ((status == 0)) || return "$status"
  local seconds=$((SECONDS - start))
  printf '== %s: %d s\n' "$name" "$seconds"
  printf '%d %s\n' "$seconds" "$name" >>"$NEURONTUNE_STEPS"
}

# Prints every step so far with its seconds.
print_times() {
  printf '\n'
  awk '{ s = $1; total += s; $1 = ""; printf "%6d s %s\n", s, $0 }
       END { printf "%6d s  in all\n\n", total }' "$NEURONTUNE_STEPS"
}

# Compilers at once: one a core, but no more than memory holds at about 2 GB each.
build_jobs() {
  local cores memory limit jobs
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || true)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1073741824 < memory)); then
    memory=$((limit / 1073741824))
  fi
  jobs=$((memory / 2))
  ((jobs < cores)) || jobs=$cores
  ((jobs > 0)) || jobs=1
  printf '%d' "$jobs"
}

# A Python that can make virtual environments: the one in PATH, else Debian's.
find_python() {
  local python
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import ensurepip, venv' 2>/dev/null && printf '%s' "$python" && return
  done
  die "no python3 that can make a virtual environment (Debian: python3-venv)"
}

# torch_dir: the folder with TorchConfig.cmake: the one that Torch_DIR or CMAKE_PREFIX_PATH names,
# else the virtual environment's. Fails where there is none.
torch_dir() {
  external_torch_dir && return
  local config
  for config in "$root"/.venv/lib/python3*/site-packages/torch/share/cmake/Torch/TorchConfig.cmake; do
    [[ -f $config ]] && dirname "$config" && return
  done
  return 1
}

# The one that the environment names; Torch_DIR is taken at its word.
external_torch_dir() {
  local prefix folder
  local -a prefixes=()
  if [[ -n ${Torch_DIR:-} ]]; then
    printf '%s\n' "$Torch_DIR"
    return
  fi
  IFS=':;' read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    for folder in "$prefix" "$prefix/Torch" "$prefix/share/cmake/Torch" "$prefix/lib/cmake/Torch"; do
      if [[ -f $folder/TorchConfig.cmake ]]; then
        printf '%s\n' "$folder"
        return
      fi
    done
  done
  return 1
}

# configure PRESET [CMAKE ARGUMENT…]: makes build/PRESET ready to build.
configure() {
  local preset=$1
  shift
  local -a options=()
  if command -v ccache >/dev/null; then
    # Precompiled headers hit the cache only when their defines and times are not looked at.
    local sloppiness=pch_defines,time_macros,include_file_mtime,include_file_ctime
    options=(-DCMAKE_CXX_COMPILER_LAUNCHER="env;CCACHE_SLOPPINESS=$sloppiness;ccache")
  fi
  # A warning stops CI, and nobody else: another compiler may warn of more. So may the sanitizers,
  # whose checks the optimiser takes for code.
  if [[ ${CI:-} == true && $preset == release ]]; then
    options+=(-DCMAKE_COMPILE_WARNING_AS_ERROR=ON)
  fi
  (cd "$root" && cmake --preset "$preset" -DTorch_DIR="$(torch_dir)" "${options[@]}" "$@")
}

# build PRESET [TARGET…]. Where the compiler itself crashes, as g++ 12 now and then does on a
# precompiled header that it wrote, and then each time, the headers are made anew, once.
build() {
  local preset=$1
  shift
  local -a command=(cmake --build --preset "$preset" --parallel "$(build_jobs)")
  (($# == 0)) || command+=(--target "$@")
  local log="$root/build/$preset/build.log"
  cd "$root"
  if ! "${command[@]}" 2>&1 | tee "$log"; then
    grep -q 'internal compiler error' "$log" || return 1
    printf '== the compiler crashed; once more, with new precompiled headers\n'
    find "$root/build/$preset" -name '*.gch' -delete
    CCACHE_RECACHE=1 "${command[@]}"
  fi
}
