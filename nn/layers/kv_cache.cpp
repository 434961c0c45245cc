#include "nn/layers/kv_cache.h"

#include <algorithm>

#include "autograd/ops.h"

namespace tarsier::nn {

namespace {

constexpr const char* kName = "kv_cache";

/// `kept` with capacity for `needed` tokens; its first `length` tokens are kept.
Tensor with_room(const Tensor& kept, const Tensor& x, int64_t length, int64_t needed) {
  if (kept.defined() && kept.size(2) >= needed) return kept;
  const int64_t room = std::max(needed, kept.defined() ? 2 * kept.size(2) : int64_t{64});
  const Tensor larger = Tensor::empty({x.size(0), x.size(1), room, x.size(3)}, x.dtype());
  if (length > 0) copy_(slice(larger, 2, 0, length), slice(kept, 2, 0, length));
  return larger;
}

}  // namespace

std::pair<Tensor, Tensor> KVCache::append(const Tensor& k, const Tensor& v) {
  check(!grad_enabled(), kName,
        "gradients are being recorded, but a cache has none: decode under a NoGrad guard");
  check(k.dim() == 4 && v.dim() == 4 && k.size(0) == v.size(0) && k.size(1) == v.size(1) &&
            k.size(2) == v.size(2) && k.dtype() == v.dtype(),
        kName, "keys ", k.shape(), " and values ", v.shape(),
        ": expected (batch, heads, time, size) for both, equal except for the last");
  if (length_ == 0) keys_ = values_ = Tensor();
  for (const auto& [kept, x] : {std::pair{keys_, k}, std::pair{values_, v}})
    if (kept.defined())
      check(kept.size(0) == x.size(0) && kept.size(1) == x.size(1) && kept.size(3) == x.size(3) &&
                kept.dtype() == x.dtype(),
            kName, "got ", x.shape(), " of ", x.dtype(), ", but holds ", length_, " tokens of ",
            kept.shape(), " and ", kept.dtype(), ": clear() it before another sequence");
  const int64_t end = length_ + k.size(2);
  keys_ = with_room(keys_, k, length_, end);
  values_ = with_room(values_, v, length_, end);
  copy_(slice(keys_, 2, length_, end), k);
  copy_(slice(values_, 2, length_, end), v);
  length_ = end;
  return all();
}

std::pair<Tensor, Tensor> KVCache::all() const {
  check(keys_.defined(), kName, "it holds no tokens yet");
  return {slice(keys_, 2, 0, length_), slice(values_, 2, 0, length_)};
}

void KVCache::reorder(const Tensor& rows) {
  if (length_ == 0) return;
  check(rows.dim() == 1 && rows.size(0) == keys_.size(0), kName, "rows of shape ", rows.shape(),
        ": expected one for each of the ", keys_.size(0), " sequences");
  const NoGrad no_grad;
  keys_ = index_select(keys_, 0, rows);
  values_ = index_select(values_, 0, rows);
}

void KVCache::truncate(int64_t length) {
  check(length >= 0 && length <= length_, kName, "cannot keep ", length, " tokens: it holds ",
        length_);
  length_ = length;
}

void KVCache::keep_last(int64_t length) {
  check(length >= 0 && length <= length_, kName, "cannot keep ", length, " tokens: it holds ",
        length_);
  const NoGrad no_grad;
  for (Tensor* kept : {&keys_, &values_}) {
    // Cloned because both parts may overlap.
    if (length > 0)
      copy_(slice(*kept, 2, 0, length), clone(slice(*kept, 2, length_ - length, length_)));
  }
  forgotten_ += length_ - length;
  length_ = length;
}

}  // namespace tarsier::nn
