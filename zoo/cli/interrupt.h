#pragma once
// A Ctrl-C that saves before it stops.

namespace tarsier::zoo {

/// While it lives, the first Ctrl-C (or SIGTERM, or a closed terminal) only sets a flag, so that
/// training can finish its step and save. The second ends the program at once.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  static bool requested();
};

}  // namespace tarsier::zoo
