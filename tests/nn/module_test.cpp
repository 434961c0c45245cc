// The module tree: names, state, calls, errors, printing. And initial values.
#include "nn/module.h"

#include <doctest/doctest.h>

#include <cmath>
#include <sstream>

#include "nn/nn.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

// A model as a user writes one, outside of the library.
struct Block : nn::Layer<Block> {
  nn::LayerNorm ln;
  nn::Linear fc;
  explicit Block(int64_t C) : ln(C), fc(C, C) {
    register_module("ln", ln);
    register_module("fc", fc);
  }
  Tensor forward(const Arg& x) { return x + fc(ln(x)); }
};

struct Model : nn::Layer<Model> {
  Tensor scale, steps, cache;
  nn::Embedding wte{5, 4};
  nn::ModuleList<Block> h{3, 4};
  nn::Linear head{4, 5, false};
  Model() {
    register_buffer("steps", steps, zeros({}, i64));
    register_buffer("cache", cache, zeros({2}), false);
    register_parameter("scale", scale, ones({1}));
    register_module("wte", wte);
    register_module("h", h);
    register_module("head", head);
    head.weight = wte.weight;  // tied
  }
  Tensor forward(const Arg& index, double factor = 1) {
    Tensor x = wte(index) * scale * factor;
    for (Block& block : h) x = block(x);
    return head(x);
  }
};

std::vector<std::string> names_of(const TensorDict& dict) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : dict) names.push_back(name);
  return names;
}

using Names = std::vector<std::string>;

TEST_CASE(
    "names come in PyTorch's order, tied parameters once in one list and twice in the other") {
  Model model;
  const Names blocks = {"h.0.ln.weight", "h.0.ln.bias", "h.0.fc.weight", "h.0.fc.bias",
                        "h.1.ln.weight", "h.1.ln.bias", "h.1.fc.weight", "h.1.fc.bias",
                        "h.2.ln.weight", "h.2.ln.bias", "h.2.fc.weight", "h.2.fc.bias"};
  Names parameters = {"scale", "wte.weight"}, state = {"scale", "steps", "wte.weight"};
  parameters.insert(parameters.end(), blocks.begin(), blocks.end());
  state.insert(state.end(), blocks.begin(), blocks.end());
  state.push_back("head.weight");
  CHECK(names_of(model.named_parameters()) == parameters);
  CHECK(names_of(model.state_dict()) == state);
  CHECK(model.num_parameters() == 1 + 20 + 3 * (4 + 4 + 16 + 4));

  Names modules;
  for (const auto& [name, module] : model.named_modules()) modules.push_back(name);
  CHECK(modules == Names{"", "wte", "h", "h.0", "h.0.ln", "h.0.fc", "h.1", "h.1.ln", "h.1.fc",
                         "h.2", "h.2.ln", "h.2.fc", "head"});
  CHECK(model.h[1].name() == "1");
}

TEST_CASE("load_state_dict copies the values, into tied weights and other dtypes too") {
  Model a, b;
  a.to(f64);
  fill_(a.steps, 7);
  const Tensor old = b.head.weight;
  b.load_state_dict(a.state_dict());
  CHECK(b.steps.item() == 7);
  CHECK(b.head.weight.impl() == b.wte.weight.impl());
  CHECK(b.head.weight.impl() == old.impl());
  CHECK(b.head.weight.dtype() == f32);
  const Tensor index = tensor({1, 4, 2}, i64);
  CHECK(allclose(to(a(index), f32), b(index), 1e-4, 1e-5));
}

TEST_CASE("load_state_dict names everything that is wrong, and changes nothing then") {
  Model model;
  TensorDict state;
  for (const auto& [name, tensor] : model.state_dict())
    if (name != "h.1.ln.bias") state.add(name, name == "steps" ? zeros({}) : zeros_like(tensor));
  state.add("extra", zeros({1}));
  TensorDict bad;
  for (const auto& [name, tensor] : state)
    bad.add(name, name == "h.0.fc.weight" ? zeros({4, 5}) : tensor);
  std::string message;
  try {
    model.load_state_dict(bad);
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message ==
        "[load_state_dict] this state does not fit Model:\n"
        "  wrong: steps is f32 where i64 belongs, h.0.fc.weight is (4, 5) where (4, 4) "
        "belongs\n"
        "  missing: h.1.ln.bias\n"
        "  unexpected: extra");
  CHECK_THROWS_AS(model.load_state_dict(bad, false), Error);
  CHECK(model.scale.item() == 1);

  TensorDict partial{{"extra", zeros({1})}, {"scale", zeros({1})}};
  CHECK_THROWS_AS(model.load_state_dict(partial), Error);
  const nn::LoadReport report = model.load_state_dict(partial, false);
  CHECK(report.unexpected == Names{"extra"});
  CHECK(report.missing.size() == model.state_dict().size() - 1);
  CHECK(model.scale.item() == 0);
}

TEST_CASE("train, eval, requires_grad_, zero_grad reach every module") {
  Model model;
  CHECK(model.is_training());
  model.eval();
  CHECK_FALSE(model.h[2].fc.is_training());
  model.train();
  CHECK(model.h[2].fc.is_training());

  sum(model(tensor({1, 2}, i64))).backward();
  CHECK(model.h[0].fc.weight.grad().defined());
  model.zero_grad();
  for (const Tensor& p : model.parameters()) CHECK_FALSE(p.grad().defined());

  model.requires_grad_(false);
  CHECK_FALSE(model(tensor({1, 2}, i64)).requires_grad());
  model.requires_grad_();
  CHECK(model(tensor({1, 2}, i64)).requires_grad());
}

TEST_CASE("to(dtype) keeps tensors and ties what they are, converts gradients, leaves i64 alone") {
  Model model;
  const Tensor weight = model.wte.weight;
  sum(model(tensor({1, 2}, i64))).backward();
  model.to(f64);
  CHECK(weight.dtype() == f64);
  CHECK(model.head.weight.impl() == weight.impl());
  CHECK(weight.grad().dtype() == f64);
  CHECK(weight.requires_grad());
  CHECK(model.cache.dtype() == f64);
  CHECK(model.steps.dtype() == i64);
  sum(model(tensor({1, 2}, i64))).backward();
  CHECK_THROWS_AS(model.to(i64), Error);
}

TEST_CASE("nodes carry the module path and the line that called the layer") {
  Model model;
  const Tensor index = tensor({1, 2}, i64);
  const Tensor y = model(index);
  std::vector<std::string> paths;
  for (Node* node = y.impl()->node.get(); node != nullptr && !node->inputs.empty();
       node = node->inputs[0].node.get())
    paths.push_back(node->module_path ? *node->module_path : "");
  CHECK(paths.front() == "head");
  CHECK(std::count(paths.begin(), paths.end(), "h.1") == 1);  // x + …
  CHECK(paths.back() == "wte");

  nn::Linear layer(4, 4);
  const Tensor x = randn({2, 4});
  const Tensor z = layer(x);
  const uint_least32_t line_after = std::source_location::current().line();
  CHECK(z.impl()->node->at.line() == line_after - 1);
}

TEST_CASE("errors inside of forward say in which module") {
  Model model;
  CHECK_THROWS_WITH_AS(model.h[1](randn({2, 3})), doctest::Contains(" (in h.1.ln)"), Error);
  CHECK_THROWS_WITH_AS(model.wte(tensor({9}, i64)), doctest::Contains(" (in wte)"), Error);
  // The root has no name.
  std::string message;
  try {
    nn::Linear(2, 2)(randn({2, 3}));
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK(message.find("(in") == message.npos);
  CHECK(message.starts_with("[linear]"));
  CHECK(module_path() == "");
}

TEST_CASE("forward takes further arguments; Sequential and call take one tensor") {
  Model model;
  const Tensor index = tensor({1, 2}, i64);
  model.wte.weight.detach();
  CHECK_FALSE(allclose(model(index), model(index, 3.0)));
  nn::Module& module = model;
  CHECK(relative_error(module.call(index), model(index)) == 0);

  struct Two : nn::Layer<Two> {
    Tensor forward(const Arg& x, const Tensor& y) { return x + y; }
  };
  Two two;
  CHECK(two(scalar(1), scalar(2)).item() == 3);
  CHECK_THROWS_WITH_AS(two.call(scalar(1)), doctest::Contains("Two is not a layer that takes one"),
                       Error);
  CHECK_THROWS_AS(model.h.call(scalar(1)), Error);
}

TEST_CASE("registration refuses bad names and a module with two places") {
  struct Open : nn::Module {
    using Module::register_buffer, Module::register_module, Module::register_parameter;
  };
  Open root, child, other;
  Tensor p;
  CHECK_THROWS_AS(root.register_parameter("", p, zeros({1})), Error);
  CHECK_THROWS_AS(root.register_parameter("a.b", p, zeros({1})), Error);
  root.register_parameter("p", p, zeros({1}));
  CHECK(p.requires_grad());
  Tensor q;
  CHECK_THROWS_AS(root.register_buffer("p", q, zeros({1})), Error);
  CHECK_THROWS_AS(root.register_module("p", child), Error);
  root.register_module("child", child);
  CHECK_THROWS_AS(other.register_module("child", child), Error);
  CHECK_THROWS_AS(child.register_module("root", root), Error);
  CHECK_THROWS_AS(root.register_module("self", root), Error);
  CHECK_THROWS_AS(root.register_parameter("i", q, zeros({1}, i64)), Error);
  // An undefined parameter is none.
  Tensor none;
  root.register_parameter("bias", none, {});
  CHECK(names_of(root.named_parameters()) == Names{"p"});
}

TEST_CASE("modules print as PyTorch prints them") {
  std::ostringstream text;
  text << Model();
  CHECK(text.str() ==
        "Model(\n"
        "  (wte): Embedding(5, 4)\n"
        "  (h): ModuleList(\n"
        "    (0-2): 3 x Block(\n"
        "      (ln): LayerNorm((4,), eps=1e-05, elementwise_affine=true)\n"
        "      (fc): Linear(4, 4, bias=true)\n"
        "    )\n"
        "  )\n"
        "  (head): Linear(4, 5, bias=false)\n"
        ")\n"
        "105 parameters");
  nn::Sequential net;
  net.add<nn::Linear>(999, 1000).add<nn::GELU>().add_named<nn::Dropout>("drop", 0.1);
  text.str("");
  text << net;
  CHECK(text.str() ==
        "Sequential(\n"
        "  (0): Linear(999, 1000, bias=true)\n"
        "  (1): GELU(approximate='none')\n"
        "  (drop): Dropout(p=0.1)\n"
        ")\n"
        "1,000,000 parameters");
}

TEST_CASE("Sequential runs its layers in order") {
  nn::Sequential net;
  net.add<nn::Linear>(3, 4).add<nn::Tanh>().add<nn::Linear>(4, 2);
  const Tensor x = randn({5, 3});
  auto& first = dynamic_cast<nn::Linear&>(net[0]);
  auto& last = dynamic_cast<nn::Linear&>(net[2]);
  CHECK(relative_error(net(x), last(tanh(first(x)))) == 0);
  CHECK(names_of(net.state_dict()) == Names{"0.weight", "0.bias", "2.weight", "2.bias"});
  CHECK_THROWS_AS(net[3], Error);
  CHECK_THROWS_WITH_AS(net(randn({5, 4})), doctest::Contains("(in 0)"), Error);
}

// ---------------------------------------------------------------------------------- initial values

/// Mean and deviation of the elements.
std::pair<double, double> moments(const Tensor& x) {
  return {mean(to(x, f64)).item(), stddev(to(x, f64)).item()};
}

TEST_CASE("initial values have the distributions that they promise") {
  Generator generator(3);
  Tensor x = Tensor::empty({200, 500}).requires_grad_();
  const double noise = 5 / std::sqrt(1e5);  // five deviations of the mean of 10⁵ numbers
  nn::uniform_(x, -1, 3, generator);
  CHECK(min(x).item() >= -1);
  CHECK(max(x).item() <= 3);
  CHECK(std::abs(moments(x).first - 1) < noise * 4 / std::sqrt(12));
  nn::normal_(x, 2, 0.5, generator);
  CHECK(std::abs(moments(x).first - 2) < noise * 0.5);
  CHECK(std::abs(moments(x).second - 0.5) < noise * 0.5);
  nn::xavier_uniform_(x, 2, generator);
  CHECK(std::abs(moments(x).second / (2 * std::sqrt(2.0 / 700)) - 1) < noise);
  nn::xavier_normal_(x, 1, generator);
  CHECK(std::abs(moments(x).second / std::sqrt(2.0 / 700) - 1) < noise);
  nn::kaiming_uniform_(x, 1, "fan_out", "leaky_relu", generator);
  CHECK(max(x).item() <= std::sqrt(3.0 / 200));
  CHECK(std::abs(moments(x).second / std::sqrt(1.0 / 200) - 1) < noise);
  nn::kaiming_normal_(x, 0, "fan_in", "relu", generator);
  CHECK(std::abs(moments(x).second / std::sqrt(2.0 / 500) - 1) < noise);
  CHECK(x.is_leaf());
  CHECK(nn::fan_in_and_fan_out(zeros({8, 3, 5, 5})).in == 75);
  CHECK(nn::fan_in_and_fan_out(zeros({8, 3, 5, 5})).out == 200);

  nn::Linear layer(400, 250);
  CHECK(max(abs(layer.weight)).item() <= 1 / std::sqrt(400.0));
  CHECK(std::abs(moments(layer.weight).second * std::sqrt(3 * 400.0) - 1) < noise);
  CHECK(max(abs(layer.bias)).item() <= 1 / std::sqrt(400.0));
}

TEST_CASE("the truncated normal stays in its bounds and has its moments, far out too") {
  Tensor x = Tensor::empty({100000}, f64);
  Generator generator(5);
  nn::trunc_normal_(x, 0, 1, -2, 2, generator);
  CHECK(max(abs(x)).item() <= 2);
  // Variance of N(0, 1) cut at ±2: 1 − 4φ(2) / (2Φ(2) − 1).
  CHECK(moments(x).second == doctest::Approx(std::sqrt(0.7737413)).epsilon(0.01));
  nn::trunc_normal_(x, 0, 1, 6, 9, generator);
  CHECK(min(x).item() >= 6);
  CHECK(moments(x).first == doctest::Approx(6.1584).epsilon(1e-3));  // φ(6) / (1 − Φ(6))
  nn::trunc_normal_(x, 1, 2, -100, 100, generator);
  CHECK(std::abs(moments(x).first - 1) < 0.04);
  CHECK(moments(x).second == doctest::Approx(2).epsilon(0.02));
  // It inverts the distribution function: Φ of what it gives is what it drew.
  Generator a(6), b(6);
  const std::vector<double> z = nn::trunc_normal_(x, 0, 1, -5, 3, a).to_vector();
  const std::vector<double> u = rand({100000}, f64, b).to_vector();
  const auto cdf = [](double v) { return std::erfc(-v / std::sqrt(2)) / 2; };
  double error = 0;
  for (size_t i = 0; i < z.size(); ++i)
    error = std::max(error, std::abs(cdf(z[i]) - (cdf(-5) + u[i] * (cdf(3) - cdf(-5)))));
  CHECK(error < 1e-14);
  CHECK_THROWS_AS(nn::trunc_normal_(x, 0, 0), Error);
  CHECK_THROWS_AS(nn::trunc_normal_(x, 0, 1, 2, -2), Error);
  CHECK_THROWS_AS(nn::trunc_normal_(x, 0, 1, 60, 70), Error);
}

TEST_CASE("initialisers refuse nonsense, and the same generator gives the same numbers") {
  const Tensor x = Tensor::empty({3, 4}), y = Tensor::empty({3, 4});
  Generator a(9), b(9);
  CHECK(relative_error(nn::normal_(x, 0, 1, a), nn::normal_(y, 0, 1, b)) == 0);
  CHECK(sum(nn::zeros_(x)).item() == 0);
  CHECK(sum(nn::ones_(x)).item() == 12);
  CHECK_THROWS_AS(nn::uniform_(x, 1, 0), Error);
  CHECK_THROWS_AS(nn::normal_(x, 0, -1), Error);
  CHECK_THROWS_AS(nn::xavier_uniform_(zeros({3})), Error);
  CHECK_THROWS_AS(nn::kaiming_uniform_(x, 0, "fan"), Error);
  CHECK_THROWS_AS(nn::calculate_gain("swish"), Error);
}

}  // namespace
}  // namespace tarsier
