# Sourced by tests/run, zoo/run, bench/run and others: installs what a build needs, and builds.
#
#   TARSIER_BUILD_DIR   where to build (default: build/ in the project)
#   TARSIER_WERROR=ON   warnings are errors, headers of the libraries are not precompiled, and tests are
#                       compiled in groups, as in CI
#   CXX                 the compiler to use (default: the first that is new enough)

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=${TARSIER_BUILD_DIR:-$root/build}

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# The name of this system's package for: compiler, cmake, ninja, doctest, benchmark.
package() {
  case $manager:$1 in
    apt-get:compiler) echo g++ ;;
    apt-get:ninja | dnf:ninja) echo ninja-build ;;
    apt-get:doctest) echo doctest-dev ;;
    apt-get:benchmark) echo libbenchmark-dev ;;
    dnf:compiler) echo gcc-c++ ;;
    dnf:doctest) echo doctest-devel ;;
    dnf:benchmark) echo google-benchmark-devel ;;
    pacman:compiler | brew:compiler) echo gcc ;;
    brew:benchmark) echo google-benchmark ;;
    *) echo "$1" ;;
  esac
}

manager=
for candidate in apt-get dnf pacman brew; do
  if have $candidate; then manager=$candidate; break; fi
done
case $manager in
  apt-get) install_command="apt-get install -y --no-install-recommends" ;;
  dnf) install_command="dnf install -y" ;;
  pacman) install_command="pacman -S --needed --noconfirm" ;;
  brew) install_command="brew install" ;;
esac

# Runs a command as root, with sudo if necessary; sudo asks for a password only at a terminal.
as_root() {
  if [ "$manager" = brew ] || [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}
may_install() {
  [ -n "$manager" ] || return 1
  [ "$manager" = brew ] || [ "$(id -u)" = 0 ] || { have sudo && { [ -t 0 ] || sudo -n true; }; } \
    2>/dev/null
}

# install PACKAGE…: reports what it does; fails if it cannot.
install() {
  may_install || return 1
  say "Installing: $*  ($manager)"
  if [ "$manager" = apt-get ]; then as_root apt-get update -q </dev/null >/dev/null || true; fi
  # shellcheck disable=SC2086  # the command is several words
  as_root env DEBIAN_FRONTEND=noninteractive $install_command "$@" </dev/null >&2
}

# by_hand THING…: says how to install what is missing.
by_hand() {
  if [ -z "$manager" ]; then
    say "Please install: $*"
    return
  fi
  local packages=() thing
  for thing in "$@"; do packages+=("$(package "$thing")"); done
  say "Please install, as root:  $install_command ${packages[*]}"
}

# Whether $1 is g++ ≥ 12 or clang++ ≥ 16, by its own macros.
new_enough() {
  local gnu clang
  have "$1" || return 1
  read -r gnu clang < <(echo __GNUC__ __clang_major__ | "$1" -E -P -x c++ - 2>/dev/null) || return 1
  case $clang in
    __*) [ "$gnu" -ge 12 ] ;;
    *) [ "$clang" -ge 16 ] ;;
  esac
}
find_compiler() {
  local candidate
  for candidate in ${CXX:-g++ c++ clang++ g++-{12..16} clang++-{16..22}}; do
    if new_enough "$candidate"; then
      export CXX=$candidate
      return
    fi
  done
  return 1
}
find_cmake() {
  have cmake || return 1
  local version
  version=$(cmake --version | sed -n 's/^cmake version \([0-9.]*\).*/\1/p')
  [ "$(printf '%s\n' 3.22 "$version" | sort -V | head -n 1)" = 3.22 ]
}
find_header() { echo "#include <$1>" | "$CXX" -E -x c++ - >/dev/null 2>&1; }

# A compiler, CMake, and make or ninja: installed if missing.
need_build_tools() {
  local missing=()
  find_compiler || missing+=(compiler)
  find_cmake || missing+=(cmake)
  have ninja || have make || missing+=(ninja)
  [ ${#missing[@]} -gt 0 ] || return 0
  local packages=() thing
  for thing in "${missing[@]}"; do packages+=("$(package "$thing")"); done
  install "${packages[@]}" || true
  # On Ubuntu 22.04 g++ is version 11, and 12 has a package of its own.
  if ! find_compiler && [ "$manager" = apt-get ]; then install g++-12 || true; fi

  missing=()
  find_compiler || missing+=(compiler)
  find_cmake || missing+=(cmake)
  have ninja || have make || missing+=(ninja)
  [ ${#missing[@]} -gt 0 ] || return 0
  case " ${missing[*]} " in
    *" compiler "*) say "Missing: a C++20 compiler (g++ 12 or clang++ 16, or newer)." ;;
  esac
  case " ${missing[*]} " in *" cmake "*) say "Missing: CMake 3.22 or newer." ;; esac
  case " ${missing[*]} " in *" ninja "*) say "Missing: make or ninja." ;; esac
  by_hand "${missing[@]}"
  exit 1
}

# need_library THING HEADER: installed if missing; if that fails, CMake will fetch it.
need_library() {
  if find_header "$2" || install "$(package "$1")"; then return; fi
  say "$1 is not installed, and cannot be installed from here; CMake will try to download it."
  by_hand "$1"
}

# configure CMAKE-OPTION…: prints only if it fails.
configure() {
  local options=(-S "$root" -B "$build_dir")
  if [ ! -f "$build_dir/CMakeCache.txt" ] && have ninja; then options+=(-G Ninja); fi
  if [ -n "${TARSIER_WERROR:-}" ]; then options+=("-DTARSIER_WERROR=$TARSIER_WERROR"); fi
  # Precompiled headers build faster; where warnings are errors, missing includes are as well.
  case ${TARSIER_WERROR:-OFF} in
    ON) options+=(-DTARSIER_PCH=OFF -DTARSIER_GROUPS=ON) ;;
    *) options+=(-DTARSIER_PCH=ON -DTARSIER_GROUPS=OFF) ;;
  esac
  mkdir -p "$build_dir" 2>/dev/null && [ -w "$build_dir" ] ||
    stop "Cannot write to $build_dir: set TARSIER_BUILD_DIR to a folder that you can write to."
  if ! cmake "${options[@]}" "$@" >"$build_dir/configure.log" 2>&1; then
    cat "$build_dir/configure.log" >&2
    stop "Configuring failed, see above. To start over, remove $build_dir"
  fi
}
# Whether configure() has succeeded here before.
configured() { [ -f "$build_dir/build.ninja" ] || [ -f "$build_dir/Makefile" ]; }

# show_progress NAME: reads the output of ninja or make and shows the progress: on a terminal in one
# line that is redrawn, otherwise at every tenth. On standard error, because standard output is the
# program's.
show_progress() {
  local name=$1 start=$SECONDS line what share shown=-10 text seconds
  while IFS= read -r line; do
    what=${line#*] }
    line=${line%%]*}
    line=${line// /}
    case $line in
      "["*/*) line=${line#[}; share=$((100 * ${line%/*} / ${line#*/})) ;;  # ninja: [12/345] Building …
      "["*%) line=${line#[}; share=${line%\%} ;;                           # make: [ 12%] Building …
      *) continue ;;
    esac
    text="Building $name: $share %"
    seconds=$((SECONDS - start))
    if [ "$seconds" -ge 5 ] && [ "$share" -ge 5 ] && [ "$share" -lt 100 ]; then
      seconds=$((seconds * (100 - share) / share))
      text+=$(printf ', about %d:%02d left' $((seconds / 60)) $((seconds % 60)))
    fi
    if [ -t 2 ]; then
      what=${what##* }  # the file
      text+="  ${what##*.dir/}"
      printf '\r\033[K%s' "${text:0:$(($(tput cols 2>/dev/null || echo 80) - 1))}" >&2
    elif [ $((share - shown)) -ge 10 ] || { [ "$share" = 100 ] && [ "$shown" -lt 100 ]; }; then
      say "$text"
      shown=$share
    fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# make_target TARGET [NAME]: builds it. The output goes to build.log; it is shown if the build fails
# or warns.
make_target() {
  local log=$build_dir/build.log status=0
  cmake --build "$build_dir" --target "$1" --parallel "$(getconf _NPROCESSORS_ONLN)" 2>&1 |
    tee "$log" | show_progress "${2:-$1}" || status=$?
  if [ "$status" != 0 ] || grep -q 'warning:' "$log"; then
    grep -vE '^\[ *[0-9]+(/[0-9]+\]|%\]) ' "$log" >&2 || true
  fi
  [ "$status" = 0 ] && return
  # Two sources of a group may have the same names (.cmake/groups.cmake).
  grep -qs '^TARSIER_GROUPS:BOOL=ON' "$build_dir/CMakeCache.txt" || stop "Building failed, see above."
  say "Once more, with each source on its own."
  cmake "$build_dir" -DTARSIER_GROUPS=OFF >"$build_dir/configure.log" 2>&1
  make_target "$@"
}
