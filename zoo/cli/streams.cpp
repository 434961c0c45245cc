#include "zoo/cli/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>

namespace tarsier::zoo {

void occupy_standard_streams() {
  // In this order: open() returns the lowest free descriptor.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      // Opened for the opposite direction, so that using it still fails.
      static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

bool nobody_listens() {
  if (std::cout) return false;
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace tarsier::zoo
