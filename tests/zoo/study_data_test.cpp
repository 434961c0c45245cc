// What travels in the study page: JSON, numbers, excerpts of sources, and the file itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "autograd/io/file.h"
#include "autograd/io/json.h"
#include "autograd/ops.h"
#include "tests/error_of.h"
#include "tests/zoo/recorded.h"
#include "tests/zoo/scratch.h"
#include "zoo/study/page.h"
#include "zoo/study/recorder.h"
#include "zoo/study/sources.h"

using namespace tarsier;
using study::find;
using study::Recorder;
using study::Recording;

TEST_SUITE_BEGIN("study");

TEST_CASE("base64 is that of RFC 4648") {
  const std::vector<std::string> from{"", "f", "fo", "foo", "foob", "fooba", "foobar"};
  const std::vector<std::string> to{"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (size_t i = 0; i < from.size(); ++i)
    CHECK(study::base64(from[i].data(), from[i].size()) == to[i]);
}

TEST_CASE("the data is JSON without <, and has null where a number is not finite") {
  Recorder recorder;
  const Tensor x = tensor({1, -1, 0}).requires_grad_();
  recorder.name("</script><b>", x);
  sum(log(x)).backward();
  Recording r = recorder.recording();
  r.title = "a \xff byte, and <";
  r.labels.push_back({"tokens", {"<script>"}});
  const study::PageData data = study::page_data(r);
  CHECK(data.json.find('<') == std::string::npos);
  const Json json = Json::parse(data.json);
  CHECK(json["title"].as_string() == "a \xEF\xBF\xBD byte, and <");
  CHECK(json["labels"]["tokens"].as_array()[0].as_string() == "<script>");
  CHECK(json["nodes"].as_array()[0]["name"].as_string() == "</script><b>");
  CHECK(json["step"]["loss"].is_null());
  const auto& tensors = json["tensors"].as_array();
  const auto log_value = static_cast<size_t>(json["nodes"].as_array()[1]["value"].as_int());
  const Json& stats = tensors[log_value]["stats"];
  CHECK(stats["nan"].as_int() == 1);
  CHECK(stats["inf"].as_int() == 1);
  CHECK(stats["max"].as_double() == 0);
  CHECK_THROWS(study::page_data(Recording{}));
}

TEST_CASE("tensors that do not fit are sampled by rows, first those that an embedding reads") {
  Recorder recorder;
  const Tensor table = ones({9000, 32}).requires_grad_(), large = ones({600, 600}).requires_grad_();
  const Tensor small = ones({512, 512}).requires_grad_();  // 262,144 elements: whole
  recorder.name("table", table);
  recorder.name("large", large);
  recorder.name("small", small);
  (sum(embedding(tensor({8999, 7}, i64), table)) + sum(large) + sum(small)).backward();
  const Recording r = recorder.recording();
  const Json json = Json::parse(study::page_data(r).json);
  const auto value = [&](const std::string& name) -> const Json& {
    return json["tensors"].as_array()[static_cast<size_t>(find(r, name).value)];
  };
  CHECK(value("table")["rows"].dump() == "[7, 8999]");
  CHECK(value("table")["count"].as_int() == 64);
  CHECK(value("large")["rows"].as_array().size() == 16384 / 600);
  CHECK(value("small").find("rows") == nullptr);
  CHECK(value("small")["count"].as_int() == 262144);
}

/// How many elements of every tensor of a page travel.
std::vector<int64_t> counts(const Recording& r, const Recording* against = nullptr) {
  std::vector<int64_t> found;
  const Json json = Json::parse(study::page_data(r, against).json);
  for (const Json& tensor : json["tensors"].as_array()) found.push_back(tensor["count"].as_int());
  return found;
}

TEST_CASE("weights travel whole where gradients that can be computed make room for them") {
  Recording r;
  r.nodes.emplace_back();
  r.add_tensor(ones({500, 512}));
  for (int i = 0; i < 1000; ++i) {
    r.add_tensor(ones({64, 64}));
    r.tensors.back().travel = study::Travel::derived;
  }
  const std::vector<int64_t> found = counts(r);
  CHECK(found[0] == 500 * 512);
  CHECK(found[1] == 1024);  // 2048 of each would be too many
}

TEST_CASE("what is inside attention is sampled before weights; then these travel while they fit") {
  Recording r;
  r.nodes.emplace_back();
  for (int i = 0; i < 60; ++i) {
    r.add_tensor(ones({64, 250}));  // 16,000
    r.tensors.back().travel = study::Travel::inside;
  }
  for (int i = 0; i < 4; ++i) r.add_tensor(ones({1000, 200}));
  std::vector<int64_t> found = counts(r);
  CHECK(found[0] == 8192 / 250 * 250);
  CHECK(found[63] == 200'000);
  r.tensors.clear();
  for (int i = 0; i < 10; ++i) r.add_tensor(ones({1000, 200}));
  found = counts(r);
  for (size_t i = 0; i < 7; ++i) CHECK(found[i] == 200'000);
  for (size_t i = 7; i < 10; ++i) CHECK(found[i] == 16384 / 200 * 200);
}

TEST_CASE("a page with many large tensors samples them harder, to stay under 9 MB of numbers") {
  Recording r;
  r.nodes.emplace_back();
  r.add_tensor(ones({250, 250}));
  CHECK(counts(r)[0] == 62500);
  for (int i = 0; i < 900; ++i) r.add_tensor(ones({64, 64}));
  const study::PageData data = study::page_data(r, &r);
  CHECK(data.numbers.size() <= 8'600'000);
  CHECK(data.numbers.size() > 2'000'000);
  for (const int64_t count : counts(r, &r)) CHECK(count > 0);
}

TEST_CASE("a page that no browser opens quickly is refused, with its size and what helps") {
  Recorder recorder;
  const Tensor x = ones({1}).requires_grad_();
  {
    const ModuleScope outer("encoder"), inner("fc");
    sum(exp(x)).backward();
  }
  Recording r = recorder.recording();
  CHECK(study::study_page(r).size() < 2'000'000);
  r.labels.push_back({"tokens", {std::string(20'000'000, 'x')}});
  const std::string error = error_of([&] { study::study_page(r); });
  CHECK(error.starts_with("[study] the page would have 20."));
  CHECK(error.find("20.0 MB is what a browser opens quickly") != error.npos);
  CHECK(error.find("--module PATH") != error.npos);
  CHECK(error.find("one of encoder, encoder.fc") != error.npos);
  CHECK(error.find("--tokens N") != error.npos);
}

TEST_CASE("a recorder writes the page; where that fails, the file from before stays") {
  const zoo::Scratch folder;
  const std::string path = folder.path("page.html");
  {
    Recorder recorder;
    const Tensor x = ones({2}).requires_grad_();
    recorder.name("</script>", x);
    check_error("[study] nothing was recorded", [&] { recorder.write(path); });
    CHECK(!std::filesystem::exists(path));
    sum(exp(x)).backward();
    recorder.write(path);
    check_error("[file]", [&] { recorder.write(folder.path("no/such/folder/page.html")); });
  }
  const std::string page = read_file(path);
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.find("\\u003c/script>") != page.npos);
  CHECK(page.find("id=\"study-numbers\"") != page.npos);
  Recorder recorder;
  check_error("[study]", [&] { recorder.write(path); });
  CHECK(read_file(path) == page);
}

TEST_CASE("an excerpt is an op's comment, its function and the function of its backward") {
  const auto text = [](const std::string& op, const std::string& file, const std::string& mark) {
    const std::string source = study::source_text(file).value();
    REQUIRE(source.find(mark) != std::string::npos);
    const auto line = std::count(source.begin(), source.begin() + source.find(mark), '\n') + 1;
    const auto found = study::definition_of(op, "/somewhere/" + file, static_cast<int>(line));
    REQUIRE(found);
    CHECK(found->file == file);
    CHECK(found->lines[static_cast<size_t>(found->mark - found->first)].find(mark) !=
          std::string::npos);
    return found->lines;
  };
  const auto add =
      text("add", "autograd/ops/elementwise/arithmetic.cpp", "record_floating(\"add\"");
  CHECK(add.front().starts_with("/// y = a + b."));
  CHECK(add.back() == "}");
  const auto norm = text("layer_norm", "autograd/ops/norm/norm.cpp", "record_fused(\"layer_norm\"");
  CHECK(norm.front().starts_with("/// x̂ = (x − mean)"));
  bool backward = false;
  for (const std::string& line : norm)
    backward = backward || line.starts_with("Grads layer_norm_grad(const Saved& saved");
  CHECK(backward);
  const auto tanh = study::definition_of("tanh", "autograd/ops/elementwise/unary.cpp", 80);
  REQUIRE(tanh);
  CHECK(tanh->file == "autograd/ops/elementwise/functions.h");
  CHECK(tanh->lines.back() == "};");
  CHECK(!study::definition_of("x", "/no/such/file.cpp", 3));
}

TEST_SUITE_END();
