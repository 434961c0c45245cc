#pragma once
// Where an op computes: what a capture (tape/capture.h) keeps of it.

#include <functional>

namespace tarsier::detail {

/// Keeps the computations of a thread while it is `compute_log`.
class ComputeLog {
 public:
  virtual ~ComputeLog() = default;
  /// Runs `body`, and keeps it to run it again.
  virtual void run(const char* op, std::function<void()> body) = 0;
};
inline constinit thread_local ComputeLog* compute_log = nullptr;

/// body(): the arithmetic of `op`, from the first read of an element to the last write. Everything
/// before it (checks, shapes, new tensors) is done once, when a step is captured; the body again at
/// every replay. So it holds by value what it uses: tensors, sizes, flags.
///
///   compute("mul", [=] { … a.data<T>() … });
///
/// A body may call ops: what they compute is part of it.
template <class Body>
void compute(const char* op, const Body& body) {
  if (compute_log == nullptr) [[likely]]
    return body();
  compute_log->run(op, body);
}

}  // namespace tarsier::detail
