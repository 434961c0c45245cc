#pragma once
// A trained vit that reads what was drawn.

#include <memory>
#include <string>
#include <vector>

#include "../data/images.h"
#include "../task/task.h"
#include "../vit/model.h"
#include "model.h"

namespace tarsier::zoo::diffusion {

class Reader {
 public:
  /// The vit of the run in `folder`. Throws Error("reader") if that is a run of another model, or
  /// one of pictures of another size, or of other classes than `names`; Error("run") if it is none.
  Reader(const std::string& folder, const Config& config, const std::vector<std::string>& names);

  /// The share of the pictures that are read as the class that they are labelled with.
  double share_recognised(const Images& pictures);

 private:
  std::unique_ptr<Task> task_;
  PixelScale scale_;
};

}  // namespace tarsier::zoo::diffusion
