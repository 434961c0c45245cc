#include "nn/layers/norm.h"

#include <algorithm>
#include <limits>

#include "autograd/ops/norm/channels.h"

namespace tarsier::nn {
namespace {

using tarsier::detail::per_channel;

const char* yes_no(bool value) { return value ? "true" : "false"; }

void check_eps(double eps, const char* op) {
  check(eps >= 0 && eps <= std::numeric_limits<double>::max(), op, "eps ", eps,
        ": a finite number is needed, 0 or more");
}

void check_dtype(const Tensor& x, const Tensor& own, const char* op) {
  check(is_floating(x.dtype()) && (!own.defined() || own.dtype() == x.dtype()), op, "x of ",
        x.dtype(), " in a layer of ", own.defined() ? own.dtype() : f32,
        ": convert one with to(…)");
}

void check_normalized_shape(const Shape& shape, const char* op) {
  check(!shape.empty() && *std::min_element(shape.begin(), shape.end()) > 0, op,
        "normalized_shape ", shape, ": one size or more is needed, all positive");
}

/// x with the last dimensions, which must be `normalized`, merged into one.
Tensor flat_end(const Arg& x, const Shape& normalized, const char* op) {
  const int outer = x.dim() - normalized.size();
  check(outer >= 0 && Shape(x.shape().begin() + std::max(outer, 0), x.shape().end()) == normalized,
        op, "x of shape ", x.shape(), ": its last sizes must be ", normalized);
  return normalized.size() == 1 ? Tensor(x) : flatten(x, outer);
}

Tensor flat_or_none(const Tensor& x) { return x.defined() ? flatten(x) : x; }

/// y · weight + bias, by channel, in one pass where a channel of a sample has many elements.
Tensor affine(const Tensor& y, const Tensor& weight, const Tensor& bias) {
  constexpr int64_t kMany = 16;
  if (y.dim() > 2 && y.numel() >= kMany * y.size(0) * y.size(1) && y.numel() > 0)
    return tarsier::detail::channel_affine(y, weight, bias);
  return y * per_channel(weight, y.dim()) + per_channel(bias, y.dim());
}

}  // namespace

// ---- LayerNorm

LayerNorm::LayerNorm(int64_t C, double eps, bool elementwise_affine, bool with_bias)
    : LayerNorm(Shape{C}, eps, elementwise_affine, with_bias) {}

LayerNorm::LayerNorm(const Shape& normalized_shape, double eps, bool elementwise_affine,
                     bool with_bias)
    : normalized_shape(normalized_shape), eps(eps) {
  check_normalized_shape(normalized_shape, "layer_norm");
  check_eps(eps, "layer_norm");
  if (!elementwise_affine) return;
  register_parameter("weight", weight, ones(normalized_shape));
  register_parameter("bias", bias, with_bias ? zeros(normalized_shape) : Tensor());
}

Tensor LayerNorm::forward(const Arg& x) {
  const CallScope here(x.at);
  const Tensor rows = flat_end(x, normalized_shape, "layer_norm");
  if (normalized_shape.size() == 1) return layer_norm(rows, weight, bias, eps);
  return reshape(layer_norm(rows, flat_or_none(weight), flat_or_none(bias), eps), x.shape());
}

std::string LayerNorm::extra_repr() const {
  return concat(normalized_shape, ", eps=", eps, ", elementwise_affine=", yes_no(weight.defined()));
}

// ---- RMSNorm

RMSNorm::RMSNorm(int64_t C, std::optional<double> eps, bool elementwise_affine)
    : RMSNorm(Shape{C}, eps, elementwise_affine) {}

RMSNorm::RMSNorm(const Shape& normalized_shape, std::optional<double> eps, bool elementwise_affine)
    : normalized_shape(normalized_shape), eps(eps) {
  check_normalized_shape(normalized_shape, "rms_norm");
  check_eps(eps.value_or(0), "rms_norm");
  if (elementwise_affine) register_parameter("weight", weight, ones(normalized_shape));
}

Tensor RMSNorm::forward(const Arg& x) {
  const CallScope here(x.at);
  const Tensor rows = flat_end(x, normalized_shape, "rms_norm");
  const double smallest = x.dtype() == f64 ? std::numeric_limits<double>::epsilon()
                                           : std::numeric_limits<float>::epsilon();
  const Tensor y = rms_norm(rows, flat_or_none(weight), eps.value_or(smallest));
  return normalized_shape.size() == 1 ? y : reshape(y, x.shape());
}

std::string RMSNorm::extra_repr() const {
  return concat(normalized_shape, ", eps=", eps ? concat(*eps) : "None",
                ", elementwise_affine=", yes_no(weight.defined()));
}

// ---- GroupNorm

GroupNorm::GroupNorm(int64_t num_groups, int64_t num_channels, double eps, bool affine)
    : num_groups(num_groups), num_channels(num_channels), eps(eps) {
  check(num_groups > 0 && num_channels > 0 && num_channels % num_groups == 0, "group_norm",
        num_channels, " channels in ", num_groups,
        " groups: num_channels must be a positive multiple of num_groups");
  check_eps(eps, "group_norm");
  if (!affine) return;
  register_parameter("weight", weight, ones({num_channels}));
  register_parameter("bias", bias, zeros({num_channels}));
}

/// A group of a sample is one row of layer_norm; the affine map after it is per channel.
Tensor GroupNorm::forward(const Arg& x) {
  const CallScope here(x.at);
  check(x.dim() >= 2 && x.size(1) == num_channels, "group_norm", "x of shape ", x.shape(),
        ": expected (N, ", num_channels, ", …)");
  check_dtype(x, weight, "group_norm");
  int64_t size = num_channels / num_groups;
  for (int d = 2; d < x.dim(); ++d) size *= x.shape()[d];
  const Tensor groups = reshape(x, {x.size(0) * num_groups, size});
  const Tensor y = reshape(layer_norm(groups, {}, {}, eps), x.shape());
  if (!weight.defined()) return y;
  return affine(y, weight, bias);
}

std::string GroupNorm::extra_repr() const {
  return concat(num_groups, ", ", num_channels, ", eps=", eps,
                ", affine=", yes_no(weight.defined()));
}

// ---- ChannelNorm

ChannelNorm::ChannelNorm(const char* op, int64_t num_features, const BatchNormOptions& options)
    : num_features(num_features), options(options), op_(op) {
  check(num_features > 0, op, num_features, " channels: a positive number is needed");
  check_eps(options.eps, op);
  const double momentum = options.momentum.value_or(0);
  check(momentum >= 0 && momentum <= 1, op, "momentum ", momentum,
        ": the weight of the newest batch must be between 0 and 1");
  if (options.affine) {
    register_parameter("weight", weight, ones({num_features}));
    register_parameter("bias", bias, zeros({num_features}));
  }
  if (!options.track_running_stats) return;
  register_buffer("running_mean", running_mean, zeros({num_features}));
  register_buffer("running_var", running_var, ones({num_features}));
  register_buffer("num_batches_tracked", num_batches_tracked, zeros({}, i64));
}

Tensor ChannelNorm::forward(const Arg& x) {
  const CallScope here(x.at);
  check_shape(x);
  if (!is_single(x)) return forward_batch(x);
  return squeeze(forward_batch(unsqueeze(x, 0)), 0);
}

Tensor ChannelNorm::forward_batch(const Arg& x) {
  const int dims = x.dim();
  check_dtype(x, options.affine ? weight : running_mean, op_);
  if (is_training() || !options.track_running_stats) {
    const Tensor y = normalised(x, is_training() && options.track_running_stats);
    return options.affine ? affine(y, weight, bias) : y;
  }
  Tensor scale = rsqrt(per_channel(running_var, dims) + options.eps);
  if (options.affine) scale = scale * per_channel(weight, dims);
  const Tensor y = (x - per_channel(running_mean, dims)) * scale;
  return options.affine ? y + per_channel(bias, dims) : y;
}

void ChannelNorm::follow(const Tensor& mean, const Tensor& var, double factor) {
  const NoGrad guard;
  add_(mul_(running_mean, 1 - factor), mean, factor);
  add_(mul_(running_var, 1 - factor), var, factor);
}

std::string ChannelNorm::extra_repr() const {
  return concat(num_features, ", eps=", options.eps,
                ", momentum=", options.momentum ? concat(*options.momentum) : "None",
                ", affine=", yes_no(options.affine),
                ", track_running_stats=", yes_no(options.track_running_stats));
}

// ---- BatchNorm

BatchNorm::BatchNorm(int64_t num_features, const BatchNormOptions& options, int min_dims,
                     int max_dims)
    : ChannelNorm("batch_norm", num_features, options), min_dims_(min_dims), max_dims_(max_dims) {}

void BatchNorm::check_shape(const Tensor& x) const {
  check(x.dim() >= min_dims_ && x.dim() <= max_dims_ && x.size(1) == num_features, op(),
        "x of shape ", x.shape(), ": expected (N, ", num_features,
        max_dims_ == 3 ? ") or (N, C, L)" : ", H, W)");
}

/// With statistics of the batch, a channel is one row of layer_norm.
Tensor BatchNorm::normalised(const Arg& x, bool tracked) {
  const int64_t count = x.numel() / num_features;  // of values per channel
  check(count != 1, op(), "x of shape ", x.shape(),
        " has one value per channel, whose variance is nothing: use larger batches, or eval()");
  if (tracked && count > 0) {
    Axes all_but_channels = {0};
    for (int d = 2; d < x.dim(); ++d) all_but_channels.push_back(d);
    const NoGrad guard;
    add_(num_batches_tracked, 1.0);
    follow(mean(x.detach(), all_but_channels), var(x.detach(), all_but_channels),
           options.momentum.value_or(1 / num_batches_tracked.item()));
  }
  const Tensor channels = transpose(x, 0, 1);
  const Tensor rows = reshape(channels, {num_features, count});
  const Tensor normal = layer_norm(rows, {}, {}, options.eps);
  return transpose(reshape(normal, channels.shape()), 0, 1);
}

BatchNorm1d::BatchNorm1d(int64_t num_features, const BatchNormOptions& options)
    : BatchNorm(num_features, options, 2, 3) {}
std::string BatchNorm1d::type_name() const { return "BatchNorm1d"; }

BatchNorm2d::BatchNorm2d(int64_t num_features, const BatchNormOptions& options)
    : BatchNorm(num_features, options, 4, 4) {}
std::string BatchNorm2d::type_name() const { return "BatchNorm2d"; }

// ---- InstanceNorm

InstanceNorm::InstanceNorm(int64_t num_features, const InstanceNormOptions& o, int dims)
    : ChannelNorm("instance_norm", num_features,
                  {o.eps, o.momentum, o.affine, o.track_running_stats}),
      dims_(dims) {}

void InstanceNorm::check_shape(const Tensor& x) const {
  const int from_end = dims_ - 1;  // the channels stand there
  const bool fits = (x.dim() == dims_ || x.dim() == dims_ - 1) && x.size(-from_end) == num_features;
  const char* rest = dims_ == 3 ? ", L)" : ", H, W)";
  check(fits, op(), "x of shape ", x.shape(), ": expected (N, ", num_features, rest, " or (",
        num_features, rest);
}

bool InstanceNorm::is_single(const Tensor& x) const { return x.dim() < dims_; }

/// A channel of a sample is one row of layer_norm.
Tensor InstanceNorm::normalised(const Arg& x, bool tracked) {
  int64_t count = 1;
  for (int d = 2; d < x.dim(); ++d) count *= x.size(d);
  check(count != 1, op(), "x of shape ", x.shape(),
        " has one element per channel, whose variance is nothing: use larger images");
  const Tensor rows = reshape(x, {x.size(0) * num_features, count});
  if (tracked && options.momentum && x.numel() > 0) {
    const Shape samples = {x.size(0), num_features};
    follow(mean(reshape(mean(rows.detach(), 1), samples), 0),
           mean(reshape(var(rows.detach(), 1), samples), 0), *options.momentum);
  }
  return reshape(layer_norm(rows, {}, {}, options.eps), x.shape());
}

InstanceNorm1d::InstanceNorm1d(int64_t num_features, const InstanceNormOptions& options)
    : InstanceNorm(num_features, options, 3) {}
std::string InstanceNorm1d::type_name() const { return "InstanceNorm1d"; }

InstanceNorm2d::InstanceNorm2d(int64_t num_features, const InstanceNormOptions& options)
    : InstanceNorm(num_features, options, 4) {}
std::string InstanceNorm2d::type_name() const { return "InstanceNorm2d"; }

}  // namespace tarsier::nn
