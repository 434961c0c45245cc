#pragma once
// A layer of any function.

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "../module.h"

namespace tarsier::nn {

/// y = f(x): a step of a Sequential for which there is no layer. Shapes and dtypes are those of f.
///   net.add<nn::Lambda>("lower half", [](const Tensor& x) { return chunk(x, 2, -1)[0]; });
/// The label is for people: it is printed, and stands in errors of the layer. A Lambda has no
/// parameters of its own. A tensor that f holds and that requires a gradient would not be trained,
/// which is an error as in any layer (guard.h): write a layer, and register it there.
/// Throws Error("lambda") for an empty std::function, and when f returns an undefined tensor.
class Lambda : public Layer<Lambda> {
 public:
  template <class F>
  Lambda(std::string label, F f) : label_(std::move(label)) {
    static_assert(std::is_invocable_r_v<Tensor, F&, const Arg&>,
                  "a Lambda needs a function of one tensor that gives one: "
                  "[](const Tensor& x) { return …; }");
    f_ = std::move(f);
    check(f_ != nullptr, "lambda", "'", label_, "' has no function: an empty std::function was ",
          "given, pass a lambda");
  }

  Tensor forward(const Arg& x) {
    Tensor y = f_(x);
    check(y.defined(), "lambda", "'", label_, "' returned an undefined tensor for x of shape ",
          x.shape(), ": return the result of an op");
    return y;
  }

  std::string extra_repr() const override { return label_; }

 private:
  std::string label_;
  std::function<Tensor(const Arg&)> f_;
};

}  // namespace tarsier::nn
