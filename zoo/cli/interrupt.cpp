#include "zoo/cli/interrupt.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>

namespace tarsier::zoo {

namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

volatile std::sig_atomic_t interrupted = 0;
std::array<void (*)(int), kSignals.size()> handlers_before;

bool on_terminal = false;

/// A message for whoever pressed Ctrl-C. A signal handler may call little more than write().
template <size_t size>
void say(const char (&text)[size]) {
  if (on_terminal && write(STDERR_FILENO, text, size - 1) < 0) return;  // nobody is there to read
}

void on_signal(int signal) {
  if (interrupted != 0) {
    say("\n");
    std::_Exit(1);
  }
  interrupted = 1;
  say("\nStopping after this step. Ctrl-C again stops at once, without saving.\n");
  std::signal(signal, on_signal);  // some systems reset the handler when it is called
}

}  // namespace

InterruptGuard::InterruptGuard() {
  interrupted = 0;
  on_terminal = isatty(STDERR_FILENO) == 1;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    handlers_before[i] = std::signal(kSignals[i], on_signal);
    // A program started with nohup keeps ignoring a closed terminal.
    if (handlers_before[i] == SIG_IGN) std::signal(kSignals[i], SIG_IGN);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < kSignals.size(); ++i) std::signal(kSignals[i], handlers_before[i]);
}

bool InterruptGuard::requested() { return interrupted != 0; }

}  // namespace tarsier::zoo
