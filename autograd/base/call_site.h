#pragma once
// The line of source that called the running op. Errors end with it.

#include <source_location>
#include <string>
#include <utility>

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

/// The line that a CallScope on this thread gives to all Args; null where there is none.
inline constinit thread_local const SourceLine* scope_line = nullptr;

/// The line of the CallScope, or `at` where there is none.
inline SourceLine line_in_scope(const SourceLine& at) { return scope_line ? *scope_line : at; }

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

/// For a function made of ops that wants to look like one op:
///   Tensor rms(const Arg& x) {
///     const CallScope here(x.at);
///     return sqrt(mean(square(x)));
///   }
/// While it lives, every Arg made on this thread takes `at` in place of its own line. So nodes and
/// errors of the ops inside name the line that called the function. Scopes nest: the outermost
/// wins, for it is the one that a user called. A module suspends it while it is called: the lines
/// in the forward of a user's layer stay visible.
class CallScope {
 public:
  explicit CallScope(const SourceLine& at)
      : at_(detail::line_in_scope(at)),
        before_(std::exchange(detail::scope_line, &at_)),
        site_(at_) {}
  ~CallScope() { detail::scope_line = before_; }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;
  static void* operator new(size_t) = delete;  // scopes end in the reverse order: on the stack

 private:
  SourceLine at_;
  const SourceLine* before_;
  CallSite site_;
};

}  // namespace tarsier
