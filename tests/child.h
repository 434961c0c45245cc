#pragma once
// Runs code of a test in a child process.

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace tarsier {

/// Sanitizers make frames larger, and a fork may catch their own locks closed: a child of a process
/// whose other threads allocate may then wait forever.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

/// Whether this process is a child made by in_child().
inline bool is_child = false;

/// Runs `body` in a child of fork() and returns its exit code, or −1 if it crashed or hung: it is
/// killed after a minute. The code is what `body` returns, or 99 if it throws. CHECK does not work
/// in `body`.
template <class Body>
int in_child(Body body) {
  std::fflush(nullptr);  // otherwise a child that calls exit() prints it again
  const pid_t child = ::fork();
  if (child == 0) {
    is_child = true;
    ::alarm(60);
    try {
      ::_exit(body());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// From now on this process cannot start threads: their stacks would exceed all memory.
inline void refuse_new_workers() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, size_t{1} << 47);
  ::pthread_setattr_default_np(&attributes);
  ::pthread_attr_destroy(&attributes);
}

}  // namespace tarsier
