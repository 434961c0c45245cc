// Names as torch.compile and parallel training write them.
#include "nn/unwrap.h"

#include <doctest/doctest.h>

#include "nn/layers/linear.h"
#include "tests/error_of.h"

namespace tarsier {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("the parts that wrappers add to names are removed, and nothing else") {
  CHECK(nn::unwrapped(Names{}).empty());
  CHECK(nn::unwrapped(Names{"_orig_mod.a.weight", "_orig_mod.b"}) == Names{"a.weight", "b"});
  CHECK(nn::unwrapped(Names{"a._orig_mod.b", "a._orig_mod._orig_mod.c"}) == Names{"a.b", "a.c"});
  CHECK(nn::unwrapped(Names{"x_orig_mod.b", "_orig_mod"}) == Names{"x_orig_mod.b", "_orig_mod"});
  CHECK(nn::unwrapped(Names{"module.a", "module.b"}) == Names{"a", "b"});
  CHECK(nn::unwrapped(Names{"module.a", "b"}) == Names{"module.a", "b"});
  CHECK(nn::unwrapped(Names{"module.a", "module."}) == Names{"module.a", "module."});
  CHECK(nn::unwrapped(Names{"_orig_mod.module.a", "module.module.b"}) == Names{"a", "module.b"});
  CHECK(nn::unwrapped(Names{"_fsdp_wrapped_module.a._fsdp_wrapped_module.b",
                            "c._checkpoint_wrapped_module.d"}) == Names{"a.b", "c.d"});
}

TEST_CASE("a state from a wrapper is refused by name, and loads after unwrapping") {
  nn::Linear linear(2, 3), other(2, 3);
  TensorDict compiled;
  for (const auto& [name, tensor] : other.state_dict()) compiled.add("_orig_mod." + name, tensor);
  const std::string message = error_of([&] { linear.load_state_dict(compiled); });
  CHECK(message.find("missing: weight, bias") != std::string::npos);
  CHECK(
      message.ends_with("\n  '_orig_mod.' in the names is from torch.compile: load "
                        "nn::unwrapped(state)"));
  linear.load_state_dict(nn::unwrapped(compiled));
  CHECK(linear.weight.to_vector() == other.weight.to_vector());
  CHECK(error_of([&] {
          linear.load_state_dict({{"module.weight", other.weight}});
        })
            .ends_with("'module.' in the names is from DataParallel or DistributedDataParallel: "
                       "load nn::unwrapped(state)"));
  CHECK(error_of([&] {
          linear.load_state_dict({{"weights", other.weight}});
        }).find("unwrapped") == std::string::npos);
  CHECK_THROWS_AS(nn::unwrapped(TensorDict{{"_orig_mod.a", ones({1})}, {"a", ones({1})}}), Error);
}

}  // namespace
}  // namespace tarsier
