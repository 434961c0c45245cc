// The tape as text.
#include "autograd/tape/print_tape.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "autograd/ops.h"
#include "autograd/tape/tape.h"
#include "tests/error_of.h"

using namespace tarsier;

namespace {

std::string printed(const Tensor& x) {
  std::ostringstream out;
  tape::print(x, out);
  return out.str();
}

int64_t lines_of(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_SUITE_BEGIN("print_tape");

TEST_CASE("a tape is printed in columns: op, shape, inputs, path, line") {
  const Tensor w = ones({2, 3}).requires_grad_(), x = ones({4, 3});
  Tensor y;
  {
    const ModuleScope scope("fc");
#line 100 "model.h"
    y = linear(x, w);
  }
#line 200 "main.cpp"
  const Tensor loss = sum(y * y);
  CHECK(printed(loss) ==
        "#  op      shape   inputs            path  line\n"
        "0  linear  (4, 2)  (4, 3) (2, 3)* –  fc    model.h:100\n"
        "1  mul     (4, 2)  0 0                     main.cpp:200\n"
        "2  sum     ()      1                       main.cpp:200\n");
  // A number that requires no gradient is an input all the same.
  CHECK(printed(w * full({}, 2)).find("(2, 3)* ()") != std::string::npos);
}

TEST_CASE("the parts of an op with several outputs are lines of their own") {
  const auto parts = split(ones({4}).requires_grad_(), 2);
  const std::string text = printed(parts[1]);
  CHECK(lines_of(text) == 3);
  CHECK(text.find("split      2 parts  (4,)*") != text.npos);
  CHECK(text.find("split [1]  (2,)     0") != text.npos);
}

TEST_CASE("to_dot gives every node and edge once, and escapes names") {
  const Tensor w = ones({2}).requires_grad_();
  Tensor loss;
  {
    const ModuleScope scope("a \"b\"");
    loss = sum(w * w + w);
  }
  const std::string dot = to_dot(loss);
  CHECK(dot.starts_with("digraph tape {\n"));
  CHECK(dot.ends_with("}\n"));
  CHECK(dot.find("label=\"a \\\"b\\\"\";") != dot.npos);
  CHECK(dot.find("n0 [label=\"mul\\n(2,)\\nprint_tape_test.cpp:") == dot.npos);  // see #line above
  CHECK(dot.find("n0 [label=\"mul\\n(2,)\\nmain.cpp:") != dot.npos);
  const auto count = [&](const std::string& text) {
    int found = 0;
    for (size_t at = dot.find(text); at != dot.npos; at = dot.find(text, at + 1)) ++found;
    return found;
  };
  CHECK(count("leaf0 -> n0;") == 2);
  CHECK(count("leaf0 -> n1;") == 1);
  CHECK(count("leaf0 [") == 1);
  CHECK(count("n0 -> n1;") == 1);
  CHECK(count("n1 -> n2;") == 1);
}

TEST_CASE("long chains do not recurse") {
  Tensor x = ones({1}).requires_grad_();
  // One frame for each node would not fit on the stack, which has 8 MB.
  for (int i = 0; i < 200'000; ++i) x = x + 1;
  CHECK(lines_of(printed(x)) == 200'001);
  CHECK(lines_of(to_dot(x)) > 400'000);
}

TEST_CASE("a tensor without a tape is an error") {
  check_error("[print] this tensor has no tape", [] { printed(ones({1}).requires_grad_()); });
  check_error("[to_dot] this tensor has no tape", [] { to_dot(Tensor()); });
}

TEST_SUITE_END();
