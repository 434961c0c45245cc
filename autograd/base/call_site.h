#pragma once
// The line of source that called the running op. Errors end with it.

#include <source_location>
#include <string>

namespace tarsier {

/// A line of source. The parameter `SourceLine at = SourceLine::current()` is the line of the call.
using SourceLine = std::source_location;

namespace detail {

/// The lines that called the ops running on this thread, the outermost first. Plain memory
/// without an owner: whatever happens to an Arg, the worst case is a wrong line in an error.
struct CallStack {
  static constexpr int kKept = 64;
  SourceLine at[kKept];
  int size = 0;  // may exceed the lines that are stored
};
inline constinit thread_local CallStack call_stack;

/// Whether a line is in this library (autograd, nn, optim), not in its user's code.
bool in_library(const SourceLine& at);

/// " (called at main.cpp:12)": the innermost line on the stack that is not in the library. ""
/// if no op runs.
std::string called_at();

}  // namespace detail

/// While it lives, errors on this thread say that they were called from `at`. Every Arg has one;
/// a function that takes no Arg makes one from its `SourceLine at`. A copy marks nothing,
/// because it may outlive the call.
class CallSite {
 public:
  explicit CallSite(const SourceLine& at) : depth_(detail::call_stack.size) {
    if (depth_ < detail::CallStack::kKept) detail::call_stack.at[depth_] = at;
    ++detail::call_stack.size;
  }
  CallSite(const CallSite&) : depth_(kNone) {}
  CallSite& operator=(const CallSite&) { return *this; }
  ~CallSite() {
    if (detail::call_stack.size > depth_) detail::call_stack.size = depth_;
  }

 private:
  static constexpr int kNone = 1 << 30;
  int depth_;
};

}  // namespace tarsier
