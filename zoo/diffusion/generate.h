#pragma once
// Draws with a trained model: new pictures of a class, and variations of a given one.

#include <cstdint>
#include <functional>
#include <vector>

#include "model.h"
#include "ode.h"

namespace tarsier::zoo::diffusion {

/// How pictures are drawn.
struct Sampling {
  int64_t steps = 12;
  Method method = Method::heun;
  double guidance = 3;  ///< see guided_field()
  uint64_t seed = 1;
};

/// The field of a model for a batch of these classes, (B) i64. Guided without a classifier (Ho &
/// Salimans 2022, "Classifier-free diffusion guidance"): with v∅ the velocity for any class and v
/// that for the class asked for,
///   v∅ + guidance · (v − v∅)
/// 1 is the model's own belief about the class, and 0 that about all classes; above 1, pictures
/// become clearer examples of their class, and more alike. 1 and 0 need one pass through the model,
/// others two. The model must outlive it.
/// Throws Error("diffusion") for a guidance that is negative or not finite.
Field guided_field(DiffusionTransformer& model, const Tensor& labels, double guidance);

/// Noise (count, channels, height, width) f32: picture i has that of the seed and number
/// `first` + i, whatever the others are.
Tensor noise_of(const Config& config, int64_t count, uint64_t seed, int64_t first = 0);

/// A picture of each of these classes, drawn in chunks: (labels, channels, height, width). Picture
/// i starts from the noise of number i. `seen`, if given, gets what is on the way, chunk by chunk,
/// as in solved().
Tensor new_pictures(DiffusionTransformer& model, const std::vector<int64_t>& labels,
                    const Sampling& sampling,
                    const std::function<void(const Tensor& x, double t)>& seen = nullptr);

/// Variations of a picture (channels, height, width), one for each of these classes: it is mixed
/// with noise, as at time 1 − strength, and drawn again from there. Strength 0 gives it back, 1 keeps
/// nothing of it. Source: Meng et al. 2022, "SDEdit: guided image synthesis and editing with
/// stochastic differential equations".
/// Throws Error("diffusion") for a strength outside [0, 1].
Tensor variations(DiffusionTransformer& model, const Tensor& picture,
                  const std::vector<int64_t>& labels, double strength, const Sampling& sampling);

}  // namespace tarsier::zoo::diffusion
