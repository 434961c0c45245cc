#include "zoo/study/proof.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "autograd/tape/observer.h"
#include "zoo/study/assembly.h"

namespace tarsier::study {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = RecordedNode::Kind;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Where element `flat` in row-major order lies in memory.
double& element_of(const Tensor& x, int64_t flat) {
  int64_t offset = 0;
  for (int d = x.dim(); d-- > 0;) {
    offset += flat % x.shape()[d] * x.strides()[d];
    flat /= x.shape()[d];
  }
  return x.data<double>()[offset];
}

/// Moves one element of the output of the op that is recorded as number `op`, before others see it.
class Nudge : public TapeObserver {
 public:
  Nudge(int64_t op, int64_t element, double by) : op_(op), element_(element), by_(by) {}
  void on_record(const Recorded& recorded) override {
    if (seen_++ == op_) element_of(recorded.outputs[0], element_) += by_;
  }
  int64_t seen() const { return seen_; }

 private:
  const int64_t op_, element_;
  const double by_;
  int64_t seen_ = 0;
};

/// One element that is to be checked.
struct Job {
  int node = 0;     // in the recording that is shown
  int64_t op = -1;  // the number of the op in the f64 run; −1 for a leaf
  Tensor leaf;      // the leaf
  int64_t element = 0;
  double value = 0, analytic = 0;
  double scale = 1, largest = 0;  // of the values and of the gradients of the node
};

class Prover {
 public:
  Prover(Recording& recording, const std::function<Tensor()>& loss, const ProofOptions& options)
      : recording_(recording), loss_(loss), options_(options) {}

  void run() {
    const std::string problem = prepare();
    recording_.proof_missing = problem;
    if (!problem.empty()) return;
    const auto start = Clock::now();
    for (const size_t job : plan()) {
      if (seconds_since(start) > 2 * options_.seconds) break;
      recording_.proof.push_back(prove(jobs_[job]));
    }
    std::sort(recording_.proof.begin(), recording_.proof.end(),
              [](const ProofLine& a, const ProofLine& b) {
                return a.node != b.node ? a.node < b.node : a.element < b.element;
              });
    for (ParameterLine& parameter : recording_.parameters)
      for (const ProofLine& line : recording_.proof)
        if (line.node == parameter.node && !line.kink)
          parameter.error = std::max(parameter.error.value_or(0), line.error);
  }

 private:
  /// Runs the f64 pass and finds the elements; returns why that is not possible.
  std::string prepare() {
    TapeLog log(false);
    {
      const ObserverScope scope(log);
      const Tensor loss = loss_();
      if (loss.dtype() != f64) return "the function for the proof computes in f32: it must use f64";
      if (loss.numel() != 1) return "the loss is not one number";
      base_ = loss.item();
      if (!std::isfinite(base_)) return "the loss is not finite";
      if (!loss.requires_grad()) return "the f64 loss requires no gradient";
      loss.backward();
    }
    const Assembled assembled = assemble(log, {});
    const auto start = Clock::now();
    if (evaluate(-1, 0, 0) != base_)
      return "two f64 runs give different losses: random numbers must be the same in every run";
    seconds_per_run_ = seconds_since(start);
    return match(log, assembled);
  }

  /// The nodes of both recordings, in pairs. Only the recording that is shown has what is inside fused ops.
  std::string match(const TapeLog& log, const Assembled& f64_run) {
    std::vector<int> shown, computed;
    const auto counts = [](const RecordedNode& n) {
      return n.group < 0 && (n.kind == Kind::op || n.kind == Kind::parameter);
    };
    const auto& nodes = f64_run.recording.nodes;
    for (size_t i = 0; i < recording_.nodes.size(); ++i)
      if (counts(recording_.nodes[i])) shown.push_back(static_cast<int>(i));
    for (size_t i = 0; i < nodes.size(); ++i)
      if (counts(nodes[i])) computed.push_back(static_cast<int>(i));
    for (size_t i = 0; i < std::max(shown.size(), computed.size()); ++i) {
      const std::string a = i < shown.size() ? describe(recording_, shown[i]) : "nothing",
                        b = i < computed.size() ? describe(f64_run.recording, computed[i])
                                                : "nothing";
      if (a != b) return "the f64 run computes something else: " + b + " in place of " + a;
      const int entry = f64_run.origin[static_cast<size_t>(computed[i])];
      add_jobs(log, f64_run.recording, computed[i], shown[i], entry);
    }
    return "";
  }

  static std::string describe(const Recording& r, int node) {
    const RecordedNode& n = r.nodes[static_cast<size_t>(node)];
    const Tensor& value = r.tensors[static_cast<size_t>(n.value)].values;
    return concat(n.kind == Kind::op ? n.op : "a leaf", " of shape ", value.shape());
  }

  void add_jobs(const TapeLog& log, const Recording& r, int computed, int shown, int entry) {
    const RecordedNode& n = r.nodes[static_cast<size_t>(computed)];
    if (n.grad < 0 || n.view || n.output >= 0) return;
    const Tensor &values = r.tensors[static_cast<size_t>(n.value)].values,
                 &grads = r.tensors[static_cast<size_t>(n.grad)].values;
    const int64_t count = values.numel();
    if (count == 0) return;
    Job job;
    job.node = shown;
    if (n.kind == Kind::op)
      job.op = std::count_if(log.entries().begin(), log.entries().begin() + entry,
                             [](const LogEntry& e) { return e.node.kind == Kind::op; });
    else
      job.leaf = log.entries()[static_cast<size_t>(entry)].leaf;
    const double *x = values.data<double>(), *dx = grads.data<double>();
    double squares = 0;
    int64_t largest = 0;
    for (int64_t i = 0; i < count; ++i) {
      squares += x[i] * x[i];
      if (std::fabs(dx[i]) > std::fabs(dx[largest])) largest = i;
    }
    job.largest = std::fabs(dx[largest]);
    const double root = std::sqrt(squares / static_cast<double>(count));
    std::vector<int64_t> elements{largest};
    for (int k = 1; k < options_.elements; ++k) {
      const uint64_t hash =
          (static_cast<uint64_t>(shown) * 31 + static_cast<uint64_t>(k)) * 0x9E3779B97F4A7C15;
      const int64_t element = static_cast<int64_t>((hash >> 20) % static_cast<uint64_t>(count));
      if (std::find(elements.begin(), elements.end(), element) == elements.end())
        elements.push_back(element);
    }
    for (size_t k = 0; k < elements.size(); ++k) {
      job.element = elements[k];
      job.value = x[job.element];
      job.analytic = dx[job.element];
      job.scale = std::clamp(std::max(std::fabs(job.value), root), 1e-3, 1.0);
      if (rounds_.size() <= k) rounds_.emplace_back();
      rounds_[k].push_back(jobs_.size());
      jobs_.push_back(job);
    }
  }

  /// The elements that there is time for: first one of every node, then the second, …; of a round
  /// that does not fit, some evenly.
  std::vector<size_t> plan() const {
    auto room = static_cast<size_t>(
        std::max(1.0, options_.seconds / (4 * std::max(seconds_per_run_, 1e-7))));
    std::vector<size_t> chosen;
    for (const std::vector<size_t>& round : rounds_) {
      const size_t take = std::min(room, round.size());
      for (size_t i = 0; i < take; ++i) chosen.push_back(round[i * round.size() / take]);
      room -= take;
    }
    return chosen;
  }

  double evaluate(int64_t op, int64_t element, double by) const {
    Nudge nudge(op, element, by);
    const ObserverScope scope(nudge);
    return loss_().item();
  }

  double loss_at(const Job& job, double by) const {
    if (job.op >= 0) return evaluate(job.op, job.element, by);
    double& x = element_of(job.leaf, job.element);
    x = job.value + by;
    const double loss = evaluate(-1, 0, 0);
    x = job.value;
    return loss;
  }

  struct Slope {
    double both = 0, left = 0, right = 0;
  };
  Slope slope(const Job& job, double h) const {
    const double l2 = loss_at(job, -2 * h), l1 = loss_at(job, -h), r1 = loss_at(job, h),
                 r2 = loss_at(job, 2 * h);
    return {(8 * (r1 - l1) - (r2 - l2)) / (12 * h), (3 * base_ - 4 * l1 + l2) / (2 * h),
            (4 * r1 - 3 * base_ - r2) / (2 * h)};
  }

  ProofLine prove(const Job& job) const {
    // Gradients this small drown in the rounding of the loss: errors are relative to no less.
    const double least =
        std::max({1e-3 * job.largest, 1e-6 * std::fabs(base_) / job.scale, 1e-300});
    const auto error_of = [&](double numeric) {
      return std::fabs(numeric - job.analytic) /
             std::max({std::fabs(numeric), std::fabs(job.analytic), least});
    };
    Slope best = slope(job, 1e-3 * job.scale);
    bool kink = false;
    for (const double step : {1e-5, 1e-7}) {  // a corner nearby: step less far
      if (error_of(best.both) <= 1e-5) break;
      const Slope closer = slope(job, step * job.scale);
      if (error_of(closer.both) < error_of(best.both)) best = closer;
      if (step == 1e-5)  // the last step is too small to tell a corner from rounding
        kink = std::fabs(closer.left - closer.right) >
               1e-3 * std::max({std::fabs(closer.left), std::fabs(closer.right), least});
    }
    kink = kink && error_of(best.both) > 1e-5;
    return {job.node, job.element, job.analytic, best.both, error_of(best.both), kink};
  }

  Recording& recording_;
  const std::function<Tensor()>& loss_;
  const ProofOptions& options_;
  double base_ = 0, seconds_per_run_ = 0;
  std::vector<Job> jobs_;
  std::vector<std::vector<size_t>> rounds_;
};

}  // namespace

void add_proof(Recording& recording, const std::function<Tensor()>& loss,
               const ProofOptions& options) {
  Prover(recording, loss, options).run();
}

}  // namespace tarsier::study
