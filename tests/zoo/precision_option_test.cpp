// The option --precision, as a user sees it.
#include <doctest/doctest.h>

#include "autograd/ops/matmul/precision.h"
#include "tests/zoo/program.h"

namespace tarsier::zoo {
namespace {

TEST_CASE("--precision works everywhere, and says so where it changes nothing") {
  const Place place;
  for (const char* name : {"highest", "high", "medium"}) {
    CAPTURE(name);
    const MatmulPrecision precision = *matmul_precision_named(name);
    const bool note = precision != MatmulPrecision::highest && !matmul_uses_bf16(precision);
    const std::string option = concat(" --precision ", name);
    const Result train =
        tarsier(place, concat("train gpt --data data.txt --steps 2 --out ", name, kTiny, option));
    REQUIRE_MESSAGE(train.code == 0, train.err);
    CHECK(has(train.out, "bf16") == matmul_uses_bf16(precision));
    for (const Result& result :
         {train, tarsier(place, concat("eval ", name, option)),
          tarsier(place, concat("predict ", name, " --tokens 3", option, " a"))}) {
      CHECK_MESSAGE(result.code == 0, result.err);
      CHECK(has(result.err, "computes as highest") == note);
    }
  }
  const Result wrong = tarsier(place, "eval highest --precision mediun");
  CHECK(wrong.code == 2);
  CHECK(complaint(wrong) ==
        "[eval] --precision is 'mediun': did you mean 'medium'? There are: highest, high, medium");
}

}  // namespace
}  // namespace tarsier::zoo
