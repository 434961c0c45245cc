#include "zoo/cli/precision.h"

#include <iostream>

#include "autograd/ops/matmul/precision.h"
#include "zoo/base/usage_error.h"

namespace tarsier::zoo {

OptionSpec precision_option() {
  return {"precision", "P",
          "of matrix products: highest (the default), high or medium (bf16). The lower ones are "
          "used where the processor is faster with them; not kept for --resume"};
}

void set_precision(const std::string& command, const Arguments& arguments) {
  const auto name = arguments.text("precision");
  if (!name) return;
  const auto precision = matmul_precision_named(*name);
  if (!precision)
    usage_fail(command, "--precision is '", *name, "'",
               among(*name, {"highest", "high", "medium"}, "There are"));
  set_matmul_precision(*precision);
  if (*precision != MatmulPrecision::highest && !matmul_uses_bf16(*precision))
    std::cerr << "tarsier: note: with this processor and instruction set, --precision " << *name
              << " computes as highest\n";
}

}  // namespace tarsier::zoo
