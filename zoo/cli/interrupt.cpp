#include "zoo/cli/interrupt.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>

namespace tarsier::zoo {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t interrupted = 0;
std::array<void (*)(int), kSignals.size()> handlers_before;

void on_signal(int signal) {
  if (interrupted != 0) std::_Exit(1);
  interrupted = 1;
  std::signal(signal, on_signal);  // some systems forget the handler once it was called
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted = 0;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    handlers_before[i] = std::signal(kSignals[i], on_signal);
    // A program started with nohup stays deaf to the closed terminal.
    if (handlers_before[i] == SIG_IGN) std::signal(kSignals[i], SIG_IGN);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < kSignals.size(); ++i) std::signal(kSignals[i], handlers_before[i]);
}

bool InterruptGuard::requested() { return interrupted != 0; }

}  // namespace tarsier::zoo
