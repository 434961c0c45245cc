#pragma once
// Looks up what a recording of the study page holds.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "zoo/study/recording.h"

namespace tarsier::study {

/// The node of an op, or the leaf of this name; fails if there is none.
inline const RecordedNode& find(const Recording& r, const std::string& name) {
  for (const RecordedNode& n : r.nodes)
    if (n.group < 0 && (n.kind == RecordedNode::Kind::op ? n.op : n.name) == name) return n;
  FAIL("no node " << name);
  return r.nodes[0];
}

inline const Tensor& values(const Recording& r, int tensor) {
  REQUIRE(tensor >= 0);
  return r.tensors[static_cast<size_t>(tensor)].values;
}

inline std::vector<double> numbers(const Recording& r, int tensor) {
  return values(r, tensor).to_vector();
}

}  // namespace tarsier::study
