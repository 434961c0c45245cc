#pragma once
// Tensor: a cheap handle to a strided view of some memory, and to its place in the graph.

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../base/call_site.h"
#include "../base/error.h"
#include "dtype.h"
#include "memory.h"
#include "shape.h"

namespace tarsier {

class Node;
class Tensor;

namespace detail {
/// Watches a backward under create_graph for reads that the tape does not see (tape.h).
class ReadWatch;
inline constinit thread_local ReadWatch* read_watch = nullptr;
void note_read(const Tensor& x, const SourceLine& at);
}  // namespace detail

/// Receives a gradient and may return another one to replace it (an undefined Tensor keeps it).
using TensorHook = std::function<Tensor(const Tensor& grad)>;

/// The object that a handle points to. Only the engine uses it.
struct TensorImpl {
  std::shared_ptr<Storage> storage;
  int64_t offset = 0;  // in elements
  Shape shape;
  Strides strides;
  DType dtype = f32;
  bool contiguous = true;

  bool requires_grad = false;        // leaves: set by the user; results: a node made them
  std::shared_ptr<Node> node;        // the op that made it, if that was recorded
  bool retain_grad = false;          // keep the gradient of a non-leaf
  std::shared_ptr<TensorImpl> grad;  // leaves: accumulated by backward()
  std::shared_ptr<std::vector<std::pair<int, TensorHook>>> hooks;

  // The number of modules and optimisers that have it as a parameter, so that nn and optim notice
  // what is used but not trained, and what is trained but no longer used.
  int modules = 0;
  int optimizers = 0;
};

/// An n-dimensional array of f32, f64, i64 or bool. Copying a Tensor copies the handle, not the
/// elements: both then name the same memory. Ops are free functions (ops.h) and make new tensors;
/// those whose names end in _ change their first argument in place.
class Tensor {
 public:
  /// An undefined tensor: "nothing here" (no bias, no mask, no gradient).
  Tensor() = default;
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}

  /// A new contiguous tensor. The elements are not initialised.
  static Tensor empty(const Shape& shape, DType dtype = f32, SourceLine at = SourceLine::current());
  /// A view: the same storage seen through another shape and strides. Not recorded.
  Tensor view_as(const Shape& shape, const Strides& strides, int64_t offset) const;

  bool defined() const { return impl_ != nullptr; }

  const Shape& shape() const { return get().shape; }
  const Strides& strides() const { return get().strides; }  ///< in elements
  int64_t offset() const { return get().offset; }           ///< in elements
  DType dtype() const { return get().dtype; }
  int dim() const { return get().shape.size(); }
  /// The size of dimension `dim`; −1 is the last. Throws Error("size").
  int64_t size(int64_t dim, SourceLine at = SourceLine::current()) const {
    const CallSite site(at);
    return shape()[wrap_dim(dim, this->dim(), "size")];
  }
  int64_t numel() const { return get().shape.numel(); }
  bool is_contiguous() const { return get().contiguous; }

  /// The elements in row-major order: x.span<float>()[i] is element i. Use it for loops over raw
  /// memory. Throws Error("span") if T is not the dtype's C++ type, and for tensors that are not
  /// contiguous (transposed, sliced, expanded: the upstream gradient of sum() is):
  ///   const Tensor c = contiguous(x);
  ///   const std::span<float> px = c.span<float>();
  template <class T>
  std::span<T> span(SourceLine at = SourceLine::current()) const {
    const CallSite site(at);
    check(dtype_of<T> == dtype(), "span", "tensor of ", dtype(), " read as ", dtype_of<T>,
          ": use dispatch_floating(x.dtype(), …), or convert with to(x, ", dtype_of<T>, ")");
    check(is_contiguous(), "span", "a tensor of shape ", shape(), " with strides ", strides(),
          " is not contiguous: its elements are not one after another in memory; take the span of "
          "contiguous(x), and keep that tensor while the span is used");
    return {data<T>(at), static_cast<size_t>(numel())};
  }

  /// The address of the first element. For any strides, element (i, j) is
  ///   data()[i·strides()[0] + j·strides()[1]]
  /// data()[i] is element i only if the tensor is contiguous; use span(), which checks that, unless
  /// you work with strides. T must be the C++ type of the dtype: float, double, int64_t or bool;
  /// otherwise throws Error("data"). Before you write through it, make sure that no backward needs
  /// the old values: unlike the in-place ops, it does not count changes.
  template <class T>
  T* data(SourceLine at = SourceLine::current()) const {
    if (dtype_of<T> != get().dtype) [[unlikely]] {
      const CallSite site(at);
      fail("data", "tensor of ", get().dtype, " read as ", dtype_of<T>);
    }
    if (detail::read_watch) [[unlikely]]
      detail::note_read(*this, at);
    return static_cast<T*>(get().storage->data()) + get().offset;
  }

  /// The only element, converted to T. Throws Error("item") unless numel() is 1.
  template <class T = double>
  T item(SourceLine at = SourceLine::current()) const {
    const CallSite site(at);
    check(numel() == 1, "item", "tensor of shape ", shape(), " has ", numel(),
          " elements, not one: reduce it first, or use to_vector()");
    return dispatch_all(dtype(), [&]<class E>() { return static_cast<T>(*data<E>(at)); });
  }

  /// All elements in row-major order, converted to T: float, double, int32_t, int64_t or bool.
  template <class T = double>
  std::vector<T> to_vector(SourceLine at = SourceLine::current()) const;

  // ---- autograd ----

  /// Whether backward() computes a gradient with respect to it.
  bool requires_grad() const { return get().requires_grad; }
  /// Makes a leaf (a tensor that no recorded op made) require gradients. Returns *this.
  /// Throws Error("requires_grad_") for i64 and bool, and for results of recorded ops.
  Tensor& requires_grad_(bool value = true, SourceLine at = SourceLine::current());
  /// Whether it was not made by a recorded op.
  bool is_leaf() const { return get().node == nullptr; }
  /// The gradient that backward() left, or an undefined tensor.
  Tensor grad() const { return Tensor(get().grad); }
  /// Replaces the gradient (undefined clears it).
  /// Throws Error("set_grad") if shape or dtype differ.
  void set_grad(const Tensor& grad, SourceLine at = SourceLine::current()) const;
  /// Makes backward() keep the gradient of this non-leaf in grad(), as it does for leaves.
  void retain_grad() const { get().retain_grad = true; }

  /// Adds d(this)/d(leaf) to grad() of every leaf that this depends on and that requires one.
  /// `upstream` is the gradient of this tensor: by default 1, for a scalar.
  /// `retain_graph` keeps what the ops saved, for a second walk. `create_graph` records the walk
  /// itself, so that the gradients can be differentiated again (and retains the graph); grad() of a
  /// leaf then owns a graph that owns the leaf, until set_grad({}): prefer tarsier::grad() for
  /// that. Throws Error("backward").
  void backward(const Tensor& upstream = {}, bool retain_graph = false, bool create_graph = false,
                SourceLine at = SourceLine::current()) const;

  /// The same elements, cut off from the graph; shares the storage.
  Tensor detach() const;

  /// Calls `hook` with the gradient of this tensor whenever one is computed, once per walk, before
  /// it is passed on. What the hook returns, if defined, replaces it. The hook must not change the
  /// gradient in place, since other tensors may share it. Returns an id for remove_hook.
  /// Throws Error("register_hook") unless requires_grad().
  int register_hook(TensorHook hook, SourceLine at = SourceLine::current()) const;
  void remove_hook(int id) const;

  /// The name of the op that made it, "" for a leaf.
  std::string grad_fn() const;

  TensorImpl* impl() const { return impl_.get(); }
  const std::shared_ptr<TensorImpl>& impl_ptr() const { return impl_; }
  int64_t version() const { return get().storage->version(); }

 private:
  /// The impl. Throws Error("tensor") if there is none.
  TensorImpl& get() const {
    if (!impl_) [[unlikely]]
      fail("tensor", "an undefined tensor was used: it was declared, but nothing assigned to it");
    return *impl_;
  }
  std::shared_ptr<TensorImpl> impl_;
};

/// Prints the elements, nested in brackets as in PyTorch, with shape and dtype.
/// Long tensors are abridged.
std::ostream& operator<<(std::ostream& out, const Tensor& x);

/// An argument of an op: the tensor, and the line of source that passed it. The conversion from
/// Tensor is implicit and happens in the caller's line, so that errors and anomaly mode can say
/// where an op was called. An op that passes its Arg on passes on the line as well; one that makes
/// other tensors of it and calls further ops opens a CallScope.
struct Arg : Tensor {
  SourceLine at;
  Arg(const Tensor& tensor, SourceLine place = SourceLine::current())
      : Tensor(tensor), at(detail::line_in_scope(place)), site_(at) {}

 private:
  CallSite site_;  // while the op runs: its errors name the line
};

}  // namespace tarsier
