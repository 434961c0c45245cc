#pragma once
// Watching the tape: every node as it is recorded, and its backward as it runs.

#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "node.h"

namespace tarsier {

/// The reference form of a fused op, as a function of its inputs. It reads what the node saved, so
/// it may be called until the backward of the node has run.
using ReferenceForm = std::function<Tensor(const std::vector<Tensor>& inputs)>;

/// Is told what the ops of this thread record, and what their backward computes, while an
/// ObserverScope with it lives. It must change none of the tensors that it sees in place; copies
/// it takes. What it computes with ops is recorded and observed as usual: open a NoGrad, or
/// another ObserverScope, around that.
///
///   struct Counter : TapeObserver {
///     int64_t nodes = 0;
///     void on_record(const Recorded&) override { ++nodes; }
///   } counter;
///   const ObserverScope scope(counter);
///
/// An op with several outputs is a node (`outputs` is not empty) and, after it, one node per output
/// that passes on its gradient; only the first is told with the op's inputs.
class TapeObserver {
 public:
  using Clock = std::chrono::steady_clock;

  struct Recorded {
    const std::shared_ptr<Node>& node;
    const std::vector<Tensor>& inputs;
    const std::vector<Tensor>& outputs;
    const SourceLine& defined_at;  ///< the line of record() in the op's own source
  };
  /// The gradients that arrived at a node; `dys` has one per output, undefined if none arrived.
  struct BackwardStart {
    Node& node;
    const std::vector<Tensor>& dys;
    const std::vector<bool>& wanted;
  };
  /// What it sent back: one gradient per input, in the input's shape; undefined where not wanted.
  struct BackwardEnd {
    Node& node;
    const Grads& grads;
    Clock::duration time;
  };

  virtual ~TapeObserver() = default;
  virtual void on_record(const Recorded& recorded) = 0;
  /// After on_record() of a fused node: the same function made of primitive ops.
  virtual void on_reference(const std::shared_ptr<Node>&, const ReferenceForm&) {}
  /// A walk has begun, and it ended (or failed: then the last nodes have no BackwardEnd).
  virtual void on_walk_start() {}
  virtual void on_walk_end() {}
  virtual void on_backward_start(const BackwardStart&) {}
  virtual void on_backward_end(const BackwardEnd&) {}
};

namespace detail {
inline constinit thread_local TapeObserver* tape_observer = nullptr;
}

/// While it lives, `observer` is the one of this thread; afterwards the one before it again.
class ObserverScope {
 public:
  explicit ObserverScope(TapeObserver& observer) : ObserverScope(&observer) {}
  /// A null pointer: nobody watches.
  explicit ObserverScope(TapeObserver* observer)
      : before_(std::exchange(detail::tape_observer, observer)) {}
  ~ObserverScope() { detail::tape_observer = before_; }
  ObserverScope(const ObserverScope&) = delete;
  ObserverScope& operator=(const ObserverScope&) = delete;

 private:
  TapeObserver* before_;
};

}  // namespace tarsier
