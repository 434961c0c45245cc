#pragma once
// A node of the graph, for code that walks or destroys the graph. Ops do not need it: they end with
// record() (tape.h).

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../base/small_memory.h"
#include "tape.h"

namespace tarsier {

/// One recorded op, made by record(). Read-only for users (in error messages).
class Node : public std::enable_shared_from_this<Node> {
 public:
  /// The destination of a gradient: the node that made the input, or a leaf; nowhere if both are
  /// null.
  struct Edge {
    std::shared_ptr<Node> node;
    std::shared_ptr<TensorImpl> leaf;
    Shape shape;        // of the input: gradients are summed back to it
    DType dtype = f32;  // of the input: gradients must have it
    int output = -1;    // which output of `node` it is, if that has several
    bool given = true;  // false for an optional input that was left out
    bool needed() const { return node != nullptr || leaf != nullptr; }
  };
  /// A saved tensor with the version that its storage had. The output is kept as a view without a
  /// node (`is_output`), because a node must not own itself.
  struct SavedTensor {
    Tensor tensor;
    int64_t version = 0;
    bool is_output = false;
  };

  using Edges = std::vector<Edge, detail::SmallMemory<Edge>>;
  using SavedTensors = std::vector<SavedTensor, detail::SmallMemory<SavedTensor>>;

  ~Node();

  const char* name = "";
  std::shared_ptr<const std::string> module_path;
  SourceLine at;
  uint64_t sequence = 0;  ///< order of creation
  Edges inputs;
  SavedTensors saved;
  BackwardFn backward;  ///< empty once the graph was freed
  /// An op with several outputs is a node with one of these instead of `backward`, and a node for
  /// each output that passes its gradient on to it.
  OutputsBackwardFn outputs_backward;
  int outputs = 0;                   ///< how many; 0 for an op with one
  std::weak_ptr<TensorImpl> output;  ///< for retained gradients
  std::shared_ptr<std::vector<std::pair<int, TensorHook>>> hooks;
  Shape output_shape;
  DType output_dtype = f32;

  /// "'tanh' called at model.cpp:12 in decoder.layers.1"
  std::string describe() const;
};

namespace detail {

/// For record() and once_differentiable(): the edge to an input, and a node's number.
Node::Edge edge_to(const Tensor& x);
uint64_t next_sequence_number();

/// The thread's modes.
bool anomaly_enabled();
bool set_grad_mode(bool enabled);  // returns what it was

}  // namespace detail
}  // namespace tarsier
