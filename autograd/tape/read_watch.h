#pragma once
// Finds a backward that is differentiated (create_graph) but cannot be.

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "tape.h"

namespace tarsier::detail {

/// Watches what one backward reads under create_graph in a way that the tape does not
/// see: as raw memory (data, span, item, to_vector, map, zip), or by an op under NoGrad. A second
/// derivative would silently lack the terms of such a read. If a record() in the same code has the
/// tensor among its inputs, the read belongs to it and is fine; what is left is an error.
/// The library's own ops read raw memory as well; they are tested, and not watched.
class ReadWatch {
 public:
  explicit ReadWatch(bool watch);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;
  /// Throws Error(node.name) that names the first such read.
  void check_recorded(const Node& node) const;

 private:
  friend void note_read(const Tensor& x, const SourceLine& at);
  friend void note_unrecorded(std::initializer_list<Arg> inputs);
  friend void note_recorded(const Inputs& inputs, const SourceLine& at);
  struct Read {
    Tensor x;
    SourceLine at;
    bool raw;
  };
  void note(const Tensor& x, const SourceLine& at, bool raw);
  bool is_made_of(const Tensor& x, const std::vector<Tensor>& inputs) const;

  ReadWatch* before_;
  uint64_t first_sequence_;  // nodes from here on were recorded by the backward that is watched
  std::vector<Read> reads_;
};

/// While a step is captured (capture.h), takes the place of "no watch": so every access to memory
/// calls note_read(), which refuses those outside of compute().
inline constinit thread_local ReadWatch* capture_watch = nullptr;

}  // namespace tarsier::detail
