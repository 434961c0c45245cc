// Is every op tested? Reads autograd/ops.h and the headers of ops that it includes: every function
// that they declare must be registered, or listed below as not differentiable.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/data.h"
#include "tests/ops/registry.h"

namespace tarsier::test {
namespace {

/// Ops without a gradient that are not registered. Their tests are in tests/autograd/.
const std::set<std::string> not_differentiable = {
    // creation
    "zeros",
    "ones",
    "full",
    "zeros_like",
    "ones_like",
    "full_like",
    "rand_like",
    "randn_like",
    "bernoulli",
    "arange",
    "linspace",
    "eye",
    "rand",
    "randn",
    "randint",
    "randperm",
    "tensor",
    "from_vector",
    "scalar",
    "one_hot",
    "tril_mask",
    "triu_mask",
    // comparison and sampling
    "allclose",
    "multinomial",
    "searchsorted",
    "bincount",
    "nonzero",
    // in place: refuse tensors whose gradient is recorded
    "add_",
    "mul_",
    "fill_",
    "zero_",
    "copy_",
};

/// The names of all functions declared at the start of a line: "Tensor sum(" gives sum. Not what
/// stands in the namespace detail.
std::set<std::string> declared_in(std::istream& header) {
  static const std::regex declaration(R"(^[A-Za-z_][\w:<> ,&]* (operator[^\s(]+|\w+)\()");
  std::set<std::string> names;
  bool in_detail = false;
  std::string line;
  std::smatch match;
  while (std::getline(header, line)) {
    if (line == "namespace detail {") in_detail = true;
    if (!in_detail && std::regex_search(line, match, declaration)) names.insert(match[1]);
    if (line[0] == '}') in_detail = false;
  }
  return names;
}

/// autograd/ops.h, and what it includes from autograd/ops/ but the reference forms, in order.
std::vector<std::string> op_headers() {
  std::vector<std::string> headers = {"autograd/ops.h"};
  static const std::regex include(R"re(^#include "(ops/[^"]+)")re");
  std::ifstream in(source_file(headers[0]));
  std::string line;
  std::smatch match;
  while (std::getline(in, line))
    if (std::regex_search(line, match, include) && match[1] != "ops/reference.h")
      headers.push_back("autograd/" + match[1].str());
  return headers;
}

TEST_CASE("declarations are recognised in a header") {
  std::istringstream header(
      "/// Tensor no(int x);\n"
      "Tensor sum(const Arg& x);\n"
      "Tensor operator<=(const Arg& a, double b);\n"
      "std::vector<Tensor> split(const Arg& x);\n"
      "  Tensor indented(int x);\n"
      "ValuesIndices max(const Arg& x,\n"
      "                  int64_t dim);\n"
      "struct Options {\n"
      "namespace detail {\n"
      "Tensor hidden(int x);\n"
      "}\n"
      "Tensor operator-(const Arg& x);\n"
      "bool allclose(const Tensor& a, const Tensor& b);\n");
  CHECK(declared_in(header) ==
        std::set<std::string>{"sum", "operator<=", "split", "max", "operator-", "allclose"});
}

TEST_CASE("every op of autograd/ops.h is registered, or listed as not differentiable") {
  CHECK(op_headers().size() >= 5);
  std::set<std::string> declared;
  for (const std::string& path : op_headers()) {
    std::ifstream header(source_file(path));
    REQUIRE_MESSAGE(header.is_open(), path);
    declared.merge(declared_in(header));
  }
  CHECK(declared.size() > 100);
  std::set<std::string> registered;
  for (const Op& op : registry()) registered.insert(op.name);

  for (const std::string& name : declared) {
    CHECK_MESSAGE((registered.count(name) || not_differentiable.count(name)), name,
                  " has no registration: add one in tests/ops/, see tests/README.md");
  }
  for (const std::string& name : registered) {
    CHECK_MESSAGE(declared.count(name), name, " is registered, but not in autograd/ops.h");
    CHECK_MESSAGE(!not_differentiable.count(name), name, " is both registered and listed");
  }
  for (const std::string& name : not_differentiable)
    CHECK_MESSAGE(declared.count(name), name, " is listed, but not in autograd/ops.h");
}

TEST_CASE("every reference form of autograd/ops/reference.h is compared with its fused op") {
  std::ifstream header(source_file("autograd/ops/reference.h"));
  REQUIRE(header.is_open());
  std::set<std::string> compared;
  for (const Op& op : registry())
    if (op.reference) compared.insert(op.name + "_reference");
  const std::set<std::string> references = declared_in(header);
  CHECK(references.size() >= 8);
  for (const std::string& name : references)
    CHECK_MESSAGE(compared.count(name), name, " is not compared");
}

TEST_CASE("every differentiable op has samples, and registrations have distinct names") {
  std::set<std::string> seen;
  for (const Op& op : registry()) {
    CHECK_MESSAGE(!op.samples.empty(), op.name, " (", op.what, ") has no samples");
    CHECK_MESSAGE(seen.insert(op.name + '|' + op.what).second, op.name, " (", op.what,
                  ") is registered twice");
  }
}

}  // namespace
}  // namespace tarsier::test
