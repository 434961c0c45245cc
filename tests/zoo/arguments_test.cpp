// The command line: what it understands, and its errors.
#include "zoo/cli/arguments.h"

#include <doctest/doctest.h>

#include <functional>

#include "zoo/base/usage_error.h"
#include "zoo/task/settings.h"

namespace tarsier::zoo {
namespace {

const CommandSpec kSpec = [] {
  CommandSpec spec;
  spec.name = "train";
  spec.arguments = "MODEL";
  spec.min_arguments = spec.max_arguments = 1;
  spec.options = {
      {"steps", "N", ""}, {"lr", "X", ""}, {"set", "KEY=VALUE", "", true}, {"quiet", "", ""}};
  return spec;
}();

Arguments parse(const std::vector<std::string>& words) { return Arguments(kSpec, words); }

/// The message of the UsageError that `body` throws.
std::string usage_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(no error)";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("options may come before and after arguments, with a space or an equals sign") {
  const Arguments a = parse({"--steps", "5", "gpt", "--set", "a=1", "--set=b=2", "--quiet"});
  CHECK(a.positional() == std::vector<std::string>{"gpt"});
  CHECK(a.integer("steps", 1) == 5);
  CHECK(a.all("set") == std::vector<std::string>{"a=1", "b=2"});
  CHECK(a.has("quiet"));
  CHECK_FALSE(a.integer("lr", 1).has_value());
  CHECK(parse({"--", "--steps"}).positional() == std::vector<std::string>{"--steps"});
  CHECK(parse({"gpt", "-h"}).wants_help());
  CHECK_FALSE(parse({"--", "--help"}).wants_help());
}

TEST_CASE("wrong options say what is wrong, and what may have been meant") {
  CHECK(has(usage_error([] { parse({"gpt", "--stesp", "5"}); }), "did you mean '--steps'"));
  CHECK(has(usage_error([] { parse({"gpt", "--wombat"}); }), "there is no option '--wombat' ("));
  CHECK(has(usage_error([] { parse({"gpt", "--steps"}); }), "--steps needs a value: --steps N"));
  CHECK(has(usage_error([] { parse({"gpt", "--steps", "--quiet"}); }), "needs a value"));
  CHECK(has(usage_error([] { parse({"gpt", "--steps="}); }), "needs a value"));
  CHECK(has(usage_error([] { parse({"gpt", "--quiet=yes"}); }), "takes no value"));
  CHECK(has(usage_error([] { parse({"gpt", "--steps", "1", "--steps", "2"}); }), "given twice"));
  CHECK(has(usage_error([] { parse({"gpt", "-q"}); }), "begin with two dashes"));
  CHECK(has(usage_error([] { parse({"gpt", "vit"}); }), "unexpected argument 'vit'"));
  CHECK(has(usage_error([] { parse({}); }), "usage: tarsier train MODEL"));
}

TEST_CASE("numbers are numbers, whole, and in their range") {
  const auto steps = [](const std::string& text) {
    return usage_error([&] { parse({"gpt", "--steps", text}).integer("steps", 1, 100); });
  };
  CHECK(steps("100") == "(no error)");
  CHECK(steps("-1") == "[train] --steps is '-1', but must be a whole number from 1 to 100");
  for (const char* text : {"abc", "1.5", "5x", " 5", "0", "101", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(has(steps(text), std::string("'") + text + "'"));
  }
  const auto rate = [](const std::string& text) {
    return usage_error([&] { parse({"gpt", "--lr", text}).number("lr", 0, 1); });
  };
  CHECK(rate("1e-3") == "(no error)");
  for (const char* text : {"x", "1,5", "-0.1", "2", "nan", "inf", "1e999"}) {
    CAPTURE(text);
    CHECK(has(rate(text), "must be a number from 0 to 1"));
  }
}

TEST_CASE("settings are set by name, and read back to the same bits") {
  int64_t layers = 4;
  double rate = 1e-3;
  bool bias = false;
  Settings settings("gpt");
  settings.add("n_layer", layers, "blocks");
  settings.add("rate", rate, "of learning");
  settings.add("bias", bias, "");
  settings.set("n_layer", "6");
  settings.set("rate", "0.1");
  settings.set("bias", "true");
  CHECK(layers == 6);
  CHECK(rate == 0.1);
  CHECK(bias);
  rate = 1.0 / 3;
  const std::string text = settings.get("rate");
  rate = 0;
  settings.set("rate", text);
  CHECK(rate == 1.0 / 3);

  CHECK(usage_error([&] { settings.set("n_layers", "1"); }) ==
        "[settings] gpt has no setting 'n_layers': did you mean 'n_layer'? It has: n_layer, rate, "
        "bias");
  CHECK(has(usage_error([&] { settings.set("wombat", "1"); }), "'wombat'. It has"));
  CHECK(has(usage_error([&] { settings.set("n_layer", "0"); }), "n_layer is '0'"));
  CHECK(has(usage_error([&] { settings.set("bias", "yes"); }), "must be true or false"));
  CHECK(layers == 6);
}

TEST_CASE("the nearest name is suggested, if one is near") {
  const std::vector<std::string> known = {"temperature", "top-k", "top-p", "seed"};
  CHECK(did_you_mean("temp", known) == ": did you mean 'temperature'?");
  CHECK(did_you_mean("sede", known) == ": did you mean 'seed'?");
  CHECK(did_you_mean("top-q", known) == ": did you mean 'top-k'?");
  CHECK(did_you_mean("wombat", known) == "");
}

}  // namespace
}  // namespace tarsier::zoo
