// Capturing a step: a list of computations, and what changes between two steps besides elements.
#include "autograd/tape/capture.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "autograd/tape/read_watch.h"
#include "autograd/tape/tape.h"
#include "autograd/tensor/compute.h"

namespace tarsier {
namespace detail {

/// One captured step.
class Capture : public ComputeLog {
 public:
  Capture(const std::function<void()>& step, const SourceLine& at);
  void replay();
  std::vector<std::string> ops() const;

  void run(const char* op, std::function<void()> body) override;
  RandomKey draw(Generator& generator);
  RandomKey current_key(RandomKey key) const;
  void note_cleared(const std::shared_ptr<TensorImpl>& leaf);
  void note_gradient(const std::shared_ptr<TensorImpl>& leaf);

 private:
  struct Computation {
    const char* op;
    SourceLine at;  // that called the op
    std::function<void()> body;
  };
  struct Draw {
    Generator* generator;
    RandomKey captured, now;
  };
  /// A leaf whose gradient the step touches. `first` is the gradient that it adds to, if it does not
  /// clear that before; `last` the one that it leaves.
  struct Leaf {
    std::shared_ptr<TensorImpl> leaf;
    bool cleared;
    std::shared_ptr<TensorImpl> first, last;
  };

  SourceLine calling_line() const;
  Leaf& touch(const std::shared_ptr<TensorImpl>& leaf, bool clears);
  void keep_gradients();

  const SourceLine at_;
  std::vector<Computation> computations_;
  std::vector<Draw> draws_;
  std::vector<Leaf> leaves_;
  std::atomic<bool> running_ = false;
};

namespace {

thread_local Capture* capturing = nullptr;        // the one that this thread records
thread_local const Capture* replaying = nullptr;  // the one that it runs

/// Sets a variable for a scope.
template <class T>
class Set {
 public:
  Set(T& variable, T value) : variable_(variable), before_(std::exchange(variable, value)) {}
  ~Set() { variable_ = before_; }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

 private:
  T& variable_;
  T before_;
};

}  // namespace

Capture::Capture(const std::function<void()>& step, const SourceLine& at) : at_(at) {
  check(capturing == nullptr && replaying == nullptr, "capture",
        "a step that is captured, or runs again, captures another one: capture the inner one "
        "before, or only the outer one");
  ReadWatch watch(true);
  const Set watching(capture_watch, &watch);
  const Set mine(capturing, this);
  const Set log(compute_log, static_cast<ComputeLog*>(this));
  step();
  keep_gradients();
}

void Capture::run(const char* op, std::function<void()> body) {
  const Set pause(compute_log, static_cast<ComputeLog*>(nullptr));
  body();
  computations_.push_back({op, calling_line(), std::move(body)});
}

std::vector<std::string> Capture::ops() const {
  std::vector<std::string> names;
  for (const Computation& computation : computations_) names.emplace_back(computation.op);
  return names;
}

/// The innermost line of the user's program, for the errors of a replay.
SourceLine Capture::calling_line() const {
  for (int i = std::min(call_stack.size, CallStack::kKept) - 1; i >= 0; --i)
    if (!in_library(call_stack.at[i])) return call_stack.at[i];
  return at_;
}

void Capture::replay() {
  check(compute_log == nullptr, "capture",
        "a step that is captured runs a captured one: call what that does instead");
  check(!running_.exchange(true), "capture", "this step is running already, on another thread or ",
        "in itself: its memory serves one at a time");
  struct Done {
    std::atomic<bool>& running;
    ~Done() { running = false; }
  } const done{running_};
  for (const Leaf& leaf : leaves_)
    check(leaf.cleared || leaf.leaf->grad == leaf.first, "capture", "the gradient of a leaf of ",
          "shape ", leaf.leaf->shape, " is not the one that the captured step adds to: put ",
          "zero_grad() into the step, or leave the gradients as they are between two steps");
  for (Draw& draw : draws_) draw.now = draw.generator->next();
  const Set mine(replaying, static_cast<const Capture*>(this));
  const NoGrad no_grad;
  for (const Computation& computation : computations_) {
    const CallSite site(computation.at);
    computation.body();
  }
  for (const Leaf& leaf : leaves_) leaf.leaf->grad = leaf.last;
}

RandomKey Capture::draw(Generator& generator) {
  const RandomKey key = generator.next();
  for (const Draw& other : draws_)
    check(other.generator == &generator || other.captured.seed != key.seed ||
              other.captured.stream != key.stream,
          "capture", "two generators of the step are in the same state (seed ", key.seed,
          ", stream ", key.stream, "): give them different seeds");
  draws_.push_back({&generator, key, key});
  return key;
}

RandomKey Capture::current_key(RandomKey key) const {
  for (const Draw& draw : draws_)
    if (draw.captured.seed == key.seed && draw.captured.stream == key.stream) return draw.now;
  return key;
}

// ---------------------------------------------------------------------------------- gradients

Capture::Leaf& Capture::touch(const std::shared_ptr<TensorImpl>& leaf, bool clears) {
  const auto known = std::find_if(leaves_.begin(), leaves_.end(),
                                  [&](const Leaf& other) { return other.leaf == leaf; });
  return known != leaves_.end() ? *known : leaves_.emplace_back(leaf, clears, leaf->grad, nullptr);
}

void Capture::note_cleared(const std::shared_ptr<TensorImpl>& leaf) { touch(leaf, true); }
void Capture::note_gradient(const std::shared_ptr<TensorImpl>& leaf) { touch(leaf, false); }

/// Refuses a step whose second run would not do what the first did: add where that wrote.
void Capture::keep_gradients() {
  for (Leaf& leaf : leaves_) {
    leaf.last = leaf.leaf->grad;
    if (leaf.cleared)
      leaf.first = nullptr;
    else
      check(leaf.first == leaf.last, "capture", "the gradient of a leaf of shape ",
            leaf.leaf->shape, leaf.first ? " moved" : " was undefined before the step",
            ", so the next step would do something else than this one: call zero_grad() in the ",
            "step, before backward()");
  }
}

// ---------------------------------------------------------------------------------- for ops

RandomKey draw(Generator& generator) {
  return capturing != nullptr && compute_log != nullptr ? capturing->draw(generator)
                                                        : generator.next();
}

RandomKey current_key(RandomKey key) {
  return replaying != nullptr ? replaying->current_key(key) : key;
}

void note_cleared(const std::shared_ptr<TensorImpl>& leaf) {
  if (compute_log != nullptr) capturing->note_cleared(leaf);
}
void note_gradient(const std::shared_ptr<TensorImpl>& leaf) {
  if (compute_log != nullptr) capturing->note_gradient(leaf);
}

}  // namespace detail

CapturedStep capture(const std::function<void()>& step, SourceLine at) {
  CapturedStep captured;
  captured.capture_ = std::make_shared<detail::Capture>(step, at);
  return captured;
}

void CapturedStep::operator()() const {
  check(capture_ != nullptr, "capture", "an empty step was called: assign a result of capture()");
  capture_->replay();
}

std::vector<std::string> CapturedStep::ops() const {
  return capture_ ? capture_->ops() : std::vector<std::string>();
}

}  // namespace tarsier
