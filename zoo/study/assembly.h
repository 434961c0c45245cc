#pragma once
// From the log of the tape to what the page shows.

#include <string>
#include <utility>
#include <vector>

#include "recording.h"
#include "tape_log.h"

namespace tarsier::study {

using Names = std::vector<std::pair<std::string, Tensor>>;

struct Assembled {
  Recording recording;
  std::vector<int> origin;  ///< of every node: its entry in the log
};

/// What belongs to the loss of the last walk. Throws Error("study") if there is none.
Assembled assemble(const TapeLog& log, const Names& names);

}  // namespace tarsier::study
