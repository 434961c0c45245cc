#pragma once
// What the tape did while somebody listened: the nodes, their numbers, and what the walk back sent.

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "../../autograd/tape/observer.h"
#include "recording.h"

namespace tarsier::study {

/// Copies of tensors, each content once.
class Snapshots {
 public:
  /// The index of a copy of x; −1 for an undefined tensor.
  int add(const Tensor& x);
  const Tensor& operator[](int index) const { return tensors_[static_cast<size_t>(index)]; }

 private:
  std::vector<Tensor> tensors_;
  std::unordered_multimap<uint64_t, int> by_content_;
};

/// An entry of the log: the node as the page will show it, with indices of entries in place of ids
/// of nodes and indices of snapshots in place of tensors.
struct LogEntry {
  RecordedNode node;
  uint64_t sequence = 0;    ///< of ops
  SourceLine defined_at{};  ///< of ops
  Tensor leaf;              ///< of leaves: the tensor itself
  int64_t version = 0;      ///< of the leaf, when it was copied
  Tensor gradient;          ///< of leaves: the sum of what arrived, during the walk `walk`
  int walk = 0;             ///< the last walk that visited it; 0 if none did
  bool in_walk = false;     ///< recorded during a walk (create_graph)
  bool hidden = false;      ///< an op with several outputs: its parts stand for it
};

class TapeLog : public TapeObserver {
 public:
  explicit TapeLog(bool inside) : inside_(inside), last_(Clock::now()) {}

  void on_record(const Recorded& recorded) override;
  void on_reference(const std::shared_ptr<Node>& node, const ReferenceForm& form) override;
  void on_walk_start() override;
  void on_walk_end() override;
  void on_backward_start(const BackwardStart& start) override;
  void on_backward_end(const BackwardEnd& end) override;

  const std::vector<LogEntry>& entries() const { return entries_; }
  const Snapshots& snapshots() const { return snapshots_; }
  /// The last walk (1 is the first), and the entry that it began at; −1 if there was none.
  int walk() const { return walk_; }
  int root() const { return root_; }
  /// The entry of the op that made x; −1 if it is not in the log.
  int find(const Tensor& x) const;

 private:
  LogEntry& at(int id) { return entries_[static_cast<size_t>(id)]; }
  int add_op(const Recorded& recorded);
  int input_id(const Tensor& x);
  int leaf_id(const Tensor& x);
  void add_saved(LogEntry& entry, const Node& node);
  void add_edges(int id, const Grads& grads);
  void expand(int id, const Tensor& dy, const std::vector<bool>& wanted);
  bool listens() const { return depth_ <= (group_ >= 0 ? 2 : 1); }

  const bool inside_;
  std::vector<LogEntry> entries_;
  Snapshots snapshots_;
  std::unordered_map<uint64_t, int> by_sequence_;
  std::multimap<const Storage*, int> leaves_;
  std::unordered_map<const TensorImpl*, int> aliases_;  // copies of inputs, while expand() runs
  std::unordered_map<uint64_t, ReferenceForm> forms_;
  Clock::time_point last_;
  int depth_ = 0, walk_ = 0, root_ = -1, order_ = 0, group_ = -1;
};

}  // namespace tarsier::study
