#include "zoo/study/tape_log.h"

#include <cstring>

#include "autograd/loops/copy.h"
#include "autograd/ops.h"
#include "zoo/study/sources.h"

namespace tarsier::study {
namespace {

size_t bytes_of(const Tensor& x) {
  return dispatch_all(x.dtype(),
                      [&]<class T>() { return static_cast<size_t>(x.numel()) * sizeof(T); });
}

const char* bytes_at(const Tensor& x) {
  return dispatch_all(x.dtype(),
                      [&]<class T>() { return reinterpret_cast<const char*>(x.data<T>()); });
}

uint64_t hash_of(const Tensor& x) {
  uint64_t hash = static_cast<uint64_t>(x.numel());
  const size_t size = bytes_of(x);
  const char* from = bytes_at(x);
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 29;
  };
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    std::memcpy(&word, from + i, 8);
    mix(word);
  }
  for (; i < size; ++i) mix(static_cast<unsigned char>(from[i]));
  return hash;
}

bool same_content(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(bytes_at(a), bytes_at(b), bytes_of(a)) == 0;
}

double microseconds(TapeObserver::Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// The log's own arithmetic is neither recorded nor observed.
class Quiet {
  ObserverScope nobody_{nullptr};
  NoGrad no_grad_;
};

class WithGrad {
 public:
  WithGrad() : before_(detail::set_grad_mode(true)) {}
  ~WithGrad() { detail::set_grad_mode(before_); }
  WithGrad(const WithGrad&) = delete;
  WithGrad& operator=(const WithGrad&) = delete;

 private:
  bool before_;
};

/// Where `y` lies within the memory of its input 0, if it is a view of that.
std::optional<RecordedNode::View> view_of(const std::vector<Tensor>& inputs, const Tensor& y) {
  if (inputs.empty() || !inputs[0].defined()) return {};
  const Tensor& x = inputs[0];
  if (x.impl()->storage != y.impl()->storage) return {};
  return RecordedNode::View{y.offset() - x.offset(),
                            {y.strides().begin(), y.strides().end()},
                            {x.strides().begin(), x.strides().end()}};
}

/// The gradient of a view as one of its input x: dy where the view looks, 0 elsewhere.
Tensor scattered(const Tensor& dy, const Tensor& x, const RecordedNode::View& view) {
  int64_t last = 0;
  for (int d = 0; d < x.dim(); ++d)
    last += std::max<int64_t>(0, x.shape()[d] - 1) * view.base[static_cast<size_t>(d)];
  const Tensor memory = zeros({last + 1}, dy.dtype());
  Strides strides = dy.strides(), base = x.strides();
  for (int d = 0; d < dy.dim(); ++d) strides[d] = view.strides[static_cast<size_t>(d)];
  for (int d = 0; d < x.dim(); ++d) base[d] = view.base[static_cast<size_t>(d)];
  copy_elements(dy, memory.view_as(dy.shape(), strides, view.offset));
  return contiguous_copy(memory.view_as(x.shape(), base, 0));
}

}  // namespace

// ------------------------------------------------------------------------------- snapshots

int Snapshots::add(const Tensor& x) {
  if (!x.defined()) return -1;
  const Quiet quiet;
  const Tensor copy = contiguous_copy(x.detach());
  const uint64_t hash = hash_of(copy);
  const auto [begin, end] = by_content_.equal_range(hash);
  for (auto same = begin; same != end; ++same)
    if (same_content(copy, tensors_[static_cast<size_t>(same->second)])) return same->second;
  const int index = static_cast<int>(tensors_.size());
  by_content_.emplace(hash, index);
  tensors_.push_back(copy);
  return index;
}

// ------------------------------------------------------------------------------- recording

void TapeLog::on_record(const Recorded& recorded) {
  if (!listens()) return;
  const double time = microseconds(Clock::now() - last_);
  at(add_op(recorded)).node.forward_us = time;
  last_ = Clock::now();
}

int TapeLog::add_op(const Recorded& recorded) {
  const Node& node = *recorded.node;
  LogEntry entry;
  entry.sequence = node.sequence;
  entry.defined_at = recorded.defined_at;
  entry.in_walk = depth_ > 0;
  entry.node.op = node.name;
  entry.node.path = node.module_path ? *node.module_path : "";
  entry.node.file = project_path(node.at.file_name());
  entry.node.line = static_cast<int>(node.at.line());
  entry.node.group = group_;
  if (group_ >= 0) entry.node.path = at(group_).node.path;
  entry.hidden = recorded.outputs.size() != 1 || node.outputs > 0;

  const int part = !node.inputs.empty() ? node.inputs[0].output : -1;
  if (part >= 0 && recorded.inputs.empty()) {  // it stands for the whole op
    const int whole = by_sequence_.at(node.inputs[0].node->sequence);
    entry.node.output = part;
    entry.node.inputs = at(whole).node.inputs;
    entry.node.saved = at(whole).node.saved;
    const int first = entry.node.inputs.empty() ? -1 : entry.node.inputs[0];
    if (first >= 0) entry.node.view = view_of({at(whole).leaf}, recorded.outputs[0]);
  } else {
    for (const Tensor& x : recorded.inputs) entry.node.inputs.push_back(input_id(x));
    add_saved(entry, node);
    if (!entry.hidden) entry.node.view = view_of(recorded.inputs, recorded.outputs[0]);
    // For the views that the parts are.
    if (entry.hidden && !recorded.inputs.empty() && recorded.inputs[0].defined())
      entry.leaf = recorded.inputs[0].detach();
  }
  if (!entry.hidden) entry.node.value = snapshots_.add(recorded.outputs[0]);
  const int id = static_cast<int>(entries_.size());
  by_sequence_[entry.sequence] = id;
  entries_.push_back(std::move(entry));
  return id;
}

void TapeLog::add_saved(LogEntry& entry, const Node& node) {
  for (const Node::SavedTensor& saved : node.saved) {
    const Tensor& x = saved.tensor;
    entry.node.saved.push_back(snapshots_.add(x));
    if (!x.defined()) continue;
    entry.node.saved_bytes += static_cast<int64_t>(bytes_of(x));
    // Indices and masks are not inputs of the node, but the reader wants to see them.
    if (!is_floating(x.dtype())) leaf_id(x);
  }
}

int TapeLog::input_id(const Tensor& x) {
  if (!x.defined()) return -1;
  if (const auto alias = aliases_.find(x.impl()); alias != aliases_.end()) return alias->second;
  const int made = find(x);
  return made >= 0 ? made : leaf_id(x);
}

int TapeLog::find(const Tensor& x) const {
  if (!x.defined() || x.is_leaf()) return -1;
  const auto made = by_sequence_.find(x.impl()->node->sequence);
  return made == by_sequence_.end() ? -1 : made->second;
}

/// A leaf is the same if it has the same memory, unchanged since.
int TapeLog::leaf_id(const Tensor& x) {
  const auto [begin, end] = leaves_.equal_range(x.impl()->storage.get());
  for (auto known = begin; known != end; ++known) {
    const LogEntry& entry = entries_[static_cast<size_t>(known->second)];
    const Tensor& y = entry.leaf;
    if (y.shape() == x.shape() && y.strides() == x.strides() && y.offset() == x.offset() &&
        y.requires_grad() == x.requires_grad() && entry.version == x.version())
      return known->second;
  }
  LogEntry entry;
  entry.node.kind =
      x.requires_grad() ? RecordedNode::Kind::parameter : RecordedNode::Kind::constant;
  entry.node.path = module_path();
  entry.node.value = snapshots_.add(x);
  entry.leaf = x;
  entry.version = x.version();
  entry.in_walk = depth_ > 0;
  const int id = static_cast<int>(entries_.size());
  leaves_.emplace(x.impl()->storage.get(), id);
  entries_.push_back(std::move(entry));
  return id;
}

void TapeLog::on_reference(const std::shared_ptr<Node>& node, const ReferenceForm& form) {
  if (inside_ && group_ < 0 && listens()) forms_[node->sequence] = form;
}

// ------------------------------------------------------------------------------- walk back

void TapeLog::on_walk_start() {
  ++depth_;
  if (depth_ > 1) return;
  ++walk_;
  order_ = 0;
  root_ = -1;
}

void TapeLog::on_walk_end() {
  --depth_;
  if (depth_ == 0)
    for (LogEntry& leaf : entries_)
      if (leaf.walk == walk_ && leaf.gradient.defined()) {
        leaf.node.grad = snapshots_.add(leaf.gradient);
        leaf.gradient = Tensor();
      }
  last_ = Clock::now();
}

void TapeLog::on_backward_start(const BackwardStart& start) {
  const auto known = by_sequence_.find(start.node.sequence);
  if (!listens() || known == by_sequence_.end()) return;
  const int id = known->second;
  if (root_ < 0) root_ = id;
  at(id).walk = walk_;
  if (!at(id).hidden) {
    at(id).node.grad = snapshots_.add(start.dys[0]);
    at(id).node.backward_order = order_++;
  }
  at(id).node.edges.assign(at(id).node.inputs.size(), -1);
  const auto form = forms_.find(start.node.sequence);
  if (group_ < 0 && form != forms_.end()) expand(id, start.dys[0], start.wanted);
}

void TapeLog::on_backward_end(const BackwardEnd& end) {
  const auto known = by_sequence_.find(end.node.sequence);
  if (!listens() || known == by_sequence_.end()) return;
  at(known->second).node.backward_us = microseconds(end.time);
  const bool part = at(known->second).node.output >= 0;
  if (!part) add_edges(known->second, end.grads);
  forms_.erase(end.node.sequence);
}

/// What the node `id` sent back; leaves sum up what they get.
void TapeLog::add_edges(int id, const Grads& grads) {
  const Quiet quiet;
  for (size_t i = 0; i < grads.size() && i < at(id).node.inputs.size(); ++i) {
    if (!grads[i].defined()) continue;
    at(id).node.edges[i] = snapshots_.add(grads[i]);
    const int to = at(id).node.inputs[i];
    if (to < 0 || at(to).node.kind == RecordedNode::Kind::op || group_ >= 0) continue;
    LogEntry& leaf = at(to);
    const Tensor dx = contiguous_copy(grads[i].detach());
    leaf.gradient = leaf.walk == walk_ && leaf.gradient.defined() ? leaf.gradient + dx : dx;
    leaf.walk = walk_;
  }
  if (!at(id).hidden) return;
  // The parts of an op with several outputs: each view sent its own share.
  for (int k = 0; id + 1 + k < static_cast<int>(entries_.size()); ++k) {
    LogEntry& part = at(id + 1 + k);
    if (part.node.output != k) break;
    if (part.walk != walk_ || part.node.grad < 0) continue;
    part.node.edges = at(id).node.edges;
    const int first = part.node.inputs[0];
    if (!part.node.view || first < 0 || part.node.edges[0] < 0) continue;
    part.node.edges[0] = snapshots_.add(
        scattered(snapshots_[part.node.grad], snapshots_[at(first).node.value], *part.node.view));
  }
}

/// Runs the reference form of a fused node on its inputs and upstream gradient. What it records
/// is shown inside the node.
void TapeLog::expand(int id, const Tensor& dy, const std::vector<bool>& wanted) {
  const ReferenceForm form = forms_.at(at(id).sequence);
  std::vector<Tensor> inputs, targets;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const int from = at(id).node.inputs[i];
    inputs.emplace_back();
    if (from < 0) continue;
    inputs.back() = contiguous_copy(snapshots_[at(from).node.value]);
    aliases_[inputs.back().impl()] = from;
    if (!wanted[i]) continue;
    inputs.back().requires_grad_();
    targets.push_back(inputs.back());
  }
  group_ = id;
  try {
    const WithGrad recorded;
    last_ = Clock::now();
    const Tensor y = form(inputs);
    if (!targets.empty() && y.requires_grad())
      grad({y}, targets, {contiguous_copy(dy.detach())}, false, false, /*allow_unused=*/true);
  } catch (...) {
    group_ = -1;
    aliases_.clear();
    throw;
  }
  group_ = -1;
  aliases_.clear();
}

}  // namespace tarsier::study
