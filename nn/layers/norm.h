#pragma once
// Normalisation.

#include <optional>
#include <string>

#include "../module.h"

namespace tarsier::nn {

/// y = (x − mean) / √(var + eps) · weight + bias over the last dimensions, normalized_shape, with
/// the population variance: (…, normalized_shape) → the same. weight starts as 1, bias as 0.
/// Throws Error("layer_norm") if the last sizes of x are not normalized_shape.
/// Source: Ba et al. 2016, "Layer normalization".
/// As https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
struct LayerNorm : Layer<LayerNorm> {
  Tensor weight;  ///< (normalized_shape), or undefined without elementwise_affine
  Tensor bias;    ///< (normalized_shape), or undefined
  const Shape normalized_shape;
  const double eps;

  explicit LayerNorm(int64_t C, double eps = 1e-5, bool elementwise_affine = true,
                     bool with_bias = true);
  /// Over several dimensions: LayerNorm(Shape{H, W}).
  explicit LayerNorm(const Shape& normalized_shape, double eps = 1e-5,
                     bool elementwise_affine = true, bool with_bias = true);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;
};

/// y = x / √(mean(x²) + eps) · weight over the last dimensions, normalized_shape:
/// (…, normalized_shape) → the same. weight starts as 1. `eps` defaults to the dtype's machine
/// epsilon.
/// Throws Error("rms_norm") if the last sizes of x are not normalized_shape.
/// Source: Zhang & Sennrich 2019, "Root mean square layer normalization".
/// As https://pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html
struct RMSNorm : Layer<RMSNorm> {
  Tensor weight;  ///< (normalized_shape), or undefined without elementwise_affine
  const Shape normalized_shape;
  const std::optional<double> eps;

  explicit RMSNorm(int64_t C, std::optional<double> eps = {}, bool elementwise_affine = true);
  explicit RMSNorm(const Shape& normalized_shape, std::optional<double> eps = {},
                   bool elementwise_affine = true);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;
};

/// y = (x − mean) / √(var + eps) · weight + bias, with mean and (population) variance over each
/// sample's group of C / num_groups channels and all later dimensions: (N, C, …) → (N, C, …).
/// weight starts as 1, bias as 0.
/// Throws Error("group_norm") if num_groups does not divide C, or x is not (N, C, …).
/// Source: Wu & He 2018, "Group normalization".
/// As https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
struct GroupNorm : Layer<GroupNorm> {
  Tensor weight;  ///< (C), or undefined without affine
  Tensor bias;    ///< (C), or undefined
  const int64_t num_groups, num_channels;
  const double eps;

  GroupNorm(int64_t num_groups, int64_t num_channels, double eps = 1e-5, bool affine = true);

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;
};

struct BatchNormOptions {
  double eps = 1e-5;
  /// The weight of the newest batch in the running statistics; none: all batches count equally.
  std::optional<double> momentum = 0.1;
  bool affine = true;
  bool track_running_stats = true;  ///< false: statistics of the batch, even in eval()
};

/// The base of BatchNorm and InstanceNorm: y = (x − mean) / √(var + eps) · weight + bias per
/// channel, dimension 1. In training, mean and population variance are those of x, and after each
/// call running = (1 − momentum) · running + momentum · those of x, with the sample variance, of
/// n − 1. eval() uses the running statistics, and those of x where there are none.
/// weight and running_var start as 1, bias and running_mean as 0.
class ChannelNorm : public Layer<ChannelNorm> {
 public:
  Tensor weight;               ///< (C), or undefined without affine
  Tensor bias;                 ///< (C), or undefined
  Tensor running_mean;         ///< (C), buffer; undefined without track_running_stats
  Tensor running_var;          ///< (C), buffer; or undefined
  Tensor num_batches_tracked;  ///< (), i64, buffer; or undefined
  const int64_t num_features;
  const BatchNormOptions options;

  Tensor forward(const Arg& x);

  std::string extra_repr() const override;

 protected:
  ChannelNorm(const char* op, int64_t num_features, const BatchNormOptions& options);

  /// Throws Error(op) unless x is what this layer takes.
  virtual void check_shape(const Tensor& x) const = 0;
  /// Whether x is one sample, without the dimension of the batch.
  virtual bool is_single(const Tensor&) const { return false; }
  /// (x − mean) / √(var + eps) by statistics of x itself. If `tracked`, follow() gets them.
  virtual Tensor normalised(const Arg& x, bool tracked) = 0;
  /// running = (1 − factor) · running + factor · the given, in place.
  void follow(const Tensor& mean, const Tensor& var, double factor);

  const char* op() const { return op_; }

 private:
  Tensor forward_batch(const Arg& x);

  const char* op_;
};

/// The base of BatchNorm1d and BatchNorm2d: a ChannelNorm whose mean and variance are over the
/// batch and all elements of a channel. An empty batch changes nothing.
/// Throws Error("batch_norm") for a wrong number of dimensions or channels, and in training for a
/// single value per channel, which has no variance.
/// Source: Ioffe & Szegedy 2015, "Batch normalization".
class BatchNorm : public ChannelNorm {
 protected:
  /// For x of `min_dims` to `max_dims` dimensions.
  BatchNorm(int64_t num_features, const BatchNormOptions& options, int min_dims, int max_dims);
  void check_shape(const Tensor& x) const override;
  Tensor normalised(const Arg& x, bool tracked) override;

 private:
  const int min_dims_, max_dims_;
};

/// BatchNorm over (N, C) or (N, C, L).
/// As https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
struct BatchNorm1d : BatchNorm {
  explicit BatchNorm1d(int64_t num_features, const BatchNormOptions& options = {});
  std::string type_name() const override;
};

/// BatchNorm over (N, C, H, W).
/// As https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
struct BatchNorm2d : BatchNorm {
  explicit BatchNorm2d(int64_t num_features, const BatchNormOptions& options = {});
  std::string type_name() const override;
};

struct InstanceNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< none: the running statistics stay as they are
  bool affine = false;
  bool track_running_stats = false;
};

/// The base of InstanceNorm1d and InstanceNorm2d: a ChannelNorm whose mean and variance are over
/// the elements of a channel in one sample. The running statistics follow their mean over the
/// batch. As in PyTorch, num_batches_tracked stays 0.
/// Throws Error("instance_norm") for a wrong number of dimensions or channels, and, unless eval()
/// uses running statistics, for channels of a single element, which has no variance.
/// Source: Ulyanov et al. 2016, "Instance normalization: the missing ingredient for fast
/// stylization".
class InstanceNorm : public ChannelNorm {
 protected:
  /// For x of `dims` dimensions, or one less: a single sample.
  InstanceNorm(int64_t num_features, const InstanceNormOptions& options, int dims);
  void check_shape(const Tensor& x) const override;
  bool is_single(const Tensor& x) const override;
  Tensor normalised(const Arg& x, bool tracked) override;

 private:
  const int dims_;
};

/// InstanceNorm over (N, C, L) or (C, L).
/// As https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
struct InstanceNorm1d : InstanceNorm {
  explicit InstanceNorm1d(int64_t num_features, const InstanceNormOptions& options = {});
  std::string type_name() const override;
};

/// InstanceNorm over (N, C, H, W) or (C, H, W).
/// As https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
struct InstanceNorm2d : InstanceNorm {
  explicit InstanceNorm2d(int64_t num_features, const InstanceNormOptions& options = {});
  std::string type_name() const override;
};

}  // namespace tarsier::nn
