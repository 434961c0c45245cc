#include "nn/layers/position.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "nn/init.h"

namespace tarsier::nn {
namespace {

constexpr const char* kSinusoidal = "sinusoidal_positions";
constexpr const char* kLearned = "learned_positions";
constexpr const char* kRotary = "rotary_embedding";
constexpr const char* kAlibi = "alibi";

constexpr std::pair<std::string_view, PositionKind> kKinds[] = {
    {"none", PositionKind::none},
    {"learned", PositionKind::learned},
    {"sinusoidal", PositionKind::sinusoidal},
    {"rotary", PositionKind::rotary},
    {"alibi", PositionKind::alibi},
};

/// An offset far beyond any text is an error, and must not overflow.
void check_offset(const char* name, int64_t offset) {
  constexpr int64_t kMost = int64_t{1} << 31;
  check(offset >= 0 && offset <= kMost, name, "offset ", offset,
        ": the position of the first token must be between 0 and ", kMost);
}

/// p / base^{2i/dim} for positions p = offset … offset + T − 1 and pairs i: (T, ⌈dim/2⌉), f64.
Tensor angles(int64_t T, int64_t dim, double base, int64_t offset) {
  std::vector<double> frequencies;
  for (int64_t i = 0; i < dim; i += 2)
    frequencies.push_back(std::pow(base, -static_cast<double>(i) / static_cast<double>(dim)));
  const Tensor positions = arange(T, f64) + static_cast<double>(offset);
  return unsqueeze(positions, 1) * from_vector(frequencies, {(dim + 1) / 2});
}

}  // namespace

PositionKind position_kind(std::string_view name) {
  std::string names;
  for (const auto& [known, kind] : kKinds) {
    if (name == known) return kind;
    names += concat(names.empty() ? "" : ", ", known);
  }
  fail("position_kind", "unknown kind of positions '", name, "': use one of ", names);
}

std::string_view position_name(PositionKind kind) {
  return std::find_if(std::begin(kKinds), std::end(kKinds),
                      [&](const auto& known) { return known.second == kind; })
      ->first;
}

// ---------------------------------------------------------------------------- added to the input

Tensor sinusoidal_positions(int64_t T, int64_t C, DType dtype, int64_t offset) {
  check(T >= 0 && C >= 0, kSinusoidal, T, " positions of ", C, " numbers: both must be 0 or more");
  check_offset(kSinusoidal, offset);
  const Tensor theta = angles(T, C, 10000, offset);
  return to(slice(flatten(stack({sin(theta), cos(theta)}, -1), -2, -1), -1, 0, C), dtype);
}

InputPositions::InputPositions(const char* op, int64_t embed_dim) : embed_dim(embed_dim), op_(op) {
  check(embed_dim > 0, op, "embed_dim ", embed_dim, " must be positive");
}

Tensor InputPositions::forward(const Arg& x, int64_t offset) {
  check(x.dim() >= 2 && x.size(-1) == embed_dim && is_floating(x.dtype()), op_, "x ", x.shape(),
        " of ", x.dtype(), ": expected (…, time, ", embed_dim, "), of f32 or f64");
  check_offset(op_, offset);
  return x + rows(x.size(-2), x.dtype(), offset);
}

struct PositionTable::Table {
  std::mutex mutex;  // guards the members, not the memory of `rows`, which never changes
  Tensor rows;
  int64_t first = 0;  // the position of row 0
};

PositionTable::PositionTable(Make make)
    : make_(std::move(make)), table_(std::make_shared<Table>()) {}

Tensor PositionTable::rows(int64_t T, DType dtype, int64_t offset) {
  constexpr int64_t kAhead = 256;  // decoding extends the table once per so many tokens
  Table& table = *table_;
  const std::lock_guard lock(table.mutex);
  if (!table.rows.defined() || table.rows.dtype() != dtype || offset < table.first ||
      offset + T > table.first + table.rows.size(0)) {
    table.rows = to(make_(std::max(T, kAhead), offset), dtype);
    table.first = offset;
  }
  return slice(table.rows, 0, offset - table.first, offset - table.first + T);
}

SinusoidalPositions::SinusoidalPositions(int64_t embed_dim)
    : InputPositions(kSinusoidal, embed_dim), table_([embed_dim](int64_t T, int64_t offset) {
        return sinusoidal_positions(T, embed_dim, f64, offset);
      }) {}

LearnedPositions::LearnedPositions(int64_t max_len, int64_t embed_dim)
    : InputPositions(kLearned, embed_dim) {
  check(max_len > 0, kLearned, "max_len ", max_len, " must be positive");
  register_parameter("weight", weight, Tensor::empty({max_len, embed_dim}));
  normal_(weight, 0, 0.02);
}

Tensor LearnedPositions::rows(int64_t T, DType, int64_t offset) {
  const int64_t end = offset + T, max_len = weight.size(0);
  check(end <= max_len, kLearned, T, " tokens from position ", offset, " end at ", end,
        ", but max_len is ", max_len, ": give fewer, or make the layer longer");
  return slice(weight, 0, offset, end);
}

std::unique_ptr<InputPositions> input_positions(PositionKind kind, int64_t max_len,
                                                int64_t embed_dim) {
  if (kind == PositionKind::learned) return std::make_unique<LearnedPositions>(max_len, embed_dim);
  if (kind == PositionKind::sinusoidal) return std::make_unique<SinusoidalPositions>(embed_dim);
  return nullptr;
}

// ------------------------------------------------------------------------------ inside attention

RotaryEmbedding::RotaryEmbedding(int64_t head_dim, const RotaryOptions& options)
    : head_dim(head_dim),
      rotary_dim(options.rotary_dim == 0 ? head_dim : options.rotary_dim),
      options(options),
      cos_([this](int64_t T, int64_t offset) { return cos(theta(T, offset)); }),
      sin_([this](int64_t T, int64_t offset) { return sin(theta(T, offset)); }) {
  check(rotary_dim > 0 && rotary_dim <= head_dim && rotary_dim % 2 == 0, kRotary, "rotary_dim ",
        rotary_dim, " of head size ", head_dim,
        ": elements are rotated in pairs, so it must be even, and at most the head size");
  check(options.base > 0 && options.factor > 0, kRotary, "base ", options.base, " and factor ",
        options.factor, ": both must be positive");
}

Tensor RotaryEmbedding::theta(int64_t T, int64_t offset) const {
  return angles(T, rotary_dim, options.base, offset) / options.factor;
}

Tensor RotaryEmbedding::forward(const Arg& x, int64_t offset) {
  check(x.dim() >= 2 && x.size(-1) == head_dim && is_floating(x.dtype()), kRotary, "x ", x.shape(),
        " of ", x.dtype(), ": expected (…, time, ", head_dim, "), of f32 or f64");
  check_offset(kRotary, offset);
  const int64_t T = x.size(-2);
  const Tensor cos = cos_.rows(T, x.dtype(), offset), sin = sin_.rows(T, x.dtype(), offset);
  if (rotary_dim == head_dim) return rotary_embedding(x, cos, sin, options.interleaved);
  const CallScope here(x.at);
  const Tensor turned =
      rotary_embedding(slice(x, -1, 0, rotary_dim), cos, sin, options.interleaved);
  return cat({turned, slice(x, -1, rotary_dim)}, -1);
}

std::string RotaryEmbedding::extra_repr() const {
  std::string text = concat(head_dim, ", base=", options.base);
  if (rotary_dim != head_dim) text += concat(", rotary_dim=", rotary_dim);
  if (options.interleaved) text += ", interleaved=true";
  if (options.factor != 1) text += concat(", factor=", options.factor);
  return text;
}

namespace {

/// 2^{−8h/n} for h = 1, 1 + step, …; n a power of two.
void append_slopes(std::vector<double>& slopes, int64_t n, int64_t step, size_t count) {
  for (int64_t h = 1; slopes.size() < count && h <= n; h += step)
    slopes.push_back(std::exp2(-8 * static_cast<double>(h) / static_cast<double>(n)));
}

}  // namespace

Tensor alibi_slopes(int64_t num_heads, DType dtype) {
  check(num_heads > 0, kAlibi, num_heads, " heads: at least one is needed");
  const auto below = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(num_heads)));
  std::vector<double> slopes;
  append_slopes(slopes, below, 1, static_cast<size_t>(below));
  append_slopes(slopes, 2 * below, 2, static_cast<size_t>(num_heads));
  return to(from_vector(slopes, {num_heads}), dtype);
}

Tensor alibi_bias(int64_t num_heads, int64_t T, int64_t S, int64_t offset, DType dtype) {
  check(T > 0 && S > 0, kAlibi, T, " queries and ", S, " keys: both must be positive");
  check_offset(kAlibi, offset);
  // One number per head and distance j − i = −(T − 1) … S − 1, minus the offset. Query i + 1 sees
  // what query i sees, shifted by one: its row begins one number earlier.
  const Tensor distance = abs(arange(T + S - 1, f64) - static_cast<double>(T - 1 + offset));
  const Tensor bias = to(-unsqueeze(alibi_slopes(num_heads, f64), 1) * distance, dtype);
  return bias.view_as({num_heads, T, S}, {T + S - 1, -1, 1}, bias.offset() + T - 1);
}

}  // namespace tarsier::nn
