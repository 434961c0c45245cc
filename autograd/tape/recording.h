#pragma once
// Recording where the caller may have switched it off.

#include "node.h"

namespace tarsier::detail {

/// While it lives, ops on this thread record, even under the caller's NoGrad.
class Recording {
 public:
  Recording() : before_(set_grad_mode(true)) {}
  ~Recording() { set_grad_mode(before_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};

}  // namespace tarsier::detail
