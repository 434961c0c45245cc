#pragma once
// Activation checkpointing: less memory for more time. A part of a model keeps only its inputs, and
// is computed again when its gradients are.

#include <functional>
#include <vector>

#include "../base/random.h"
#include "../tape/tape.h"

namespace tarsier {

/// y = f(inputs), of which nothing is kept for backward but the inputs: what the ops inside f would
/// save (all activations of a Transformer's block) is made again in backward, by calling f a second
/// time, and freed as soon as its gradients are known.
///
///   forward    y = f(x)              not recorded
///   backward   y′ = f(x) recorded;   (dx, dθ) = vjp of y′ at dy,   θ = `parameters`
///
/// A stack of n such parts keeps n inputs, and the activations of one part at a time, in place of
/// those of all. The price is a second forward: a training step is two parts backward and one
/// forward, so it takes about a third longer. Values and gradients have the same bits as without:
/// random numbers (dropout) are drawn again from the state that `generator` had.
///
///   const Tensor y = checkpoint([&](const auto& in) { return relu(linear(in[0], w, b)); },
///                               {x}, {w, b});
///
/// `inputs` go to f, which must be the same function when it is called again: it captures nothing
/// that is gone by then, and changes nothing. `parameters` are the other tensors with gradients that
/// f reads (nn/checkpoint.h passes those of a module). Tensors without gradients need no mention.
/// Throws Error("checkpoint") in backward if f reads a tensor that needs a gradient and is in
/// neither list, if an input or a parameter was changed in place in between, or if f returns
/// another shape than before; and in a captured step. As torch.utils.checkpoint.checkpoint with
/// use_reentrant=False. Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
Tensor checkpoint(const std::function<Tensor(const std::vector<Tensor>& inputs)>& f,
                  const std::vector<Tensor>& inputs, const std::vector<Tensor>& parameters = {},
                  Generator& generator = default_generator(),
                  SourceLine at = SourceLine::current());

}  // namespace tarsier
