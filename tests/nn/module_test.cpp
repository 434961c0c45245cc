// The module tree: names, state, calls, errors, printing.
#include "nn/module.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "autograd/tape/node.h"
#include "nn/nn.h"
#include "tests/error_of.h"
#include "tests/nn/golden.h"

namespace tarsier {
namespace {

// A model as a user writes it, outside the library.
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

TEST_CASE("load_state_dict copies the values, also into tied weights and other dtypes") {
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

TEST_CASE("load_state_dict names everything that is wrong, and then changes nothing") {
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

TEST_CASE("the checkpoint of another model is refused in a few lines, however large it is") {
  nn::ModuleList<nn::Linear> model(8, 2, 2);
  TensorDict other;
  for (int i = 0; i < 4; ++i) other.add(concat(i, ".weight"), zeros({3, 2}));
  for (int i = 0; i < 47; ++i) other.add(concat("h.", i, ".attn.c_attn.weight"), zeros({2}));
  const std::string message = error_of([&] { model.load_state_dict(other); });
  CHECK(
      message ==
      "[load_state_dict] this state does not fit ModuleList:\n"
      "  wrong: 0.weight is (3, 2) where (2, 2) belongs, 1.weight is (3, 2) where (2, 2) belongs, "
      "2.weight is (3, 2) where (2, 2) belongs, 3.weight is (3, 2) where (2, 2) belongs\n"
      "  missing: 0.bias, 1.bias, 2.bias, 3.bias, 4.weight, 4.bias, 5.weight, 5.bias, 6.weight, "
      "6.bias, … and 2 more\n"
      "  unexpected: h.0.attn.c_attn.weight, h.1.attn.c_attn.weight, h.2.attn.c_attn.weight, "
      "h.3.attn.c_attn.weight, h.4.attn.c_attn.weight, h.5.attn.c_attn.weight, "
      "h.6.attn.c_attn.weight, h.7.attn.c_attn.weight, h.8.attn.c_attn.weight, "
      "h.9.attn.c_attn.weight, … and 37 more");
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

TEST_CASE("to(dtype) keeps tensors and ties, converts gradients, leaves i64 alone") {
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

TEST_CASE("errors inside forward name the module") {
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
  // An undefined parameter does not count.
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
        "      (fc): Linear(in_features=4, out_features=4, bias=true)\n"
        "    )\n"
        "  )\n"
        "  (head): Linear(in_features=4, out_features=5, bias=false)\n"
        ")\n"
        "105 parameters");
  nn::Sequential net;
  net.add<nn::Linear>(999, 1000).add<nn::GELU>().add_named<nn::Dropout>("drop", 0.1);
  text.str("");
  text << net;
  CHECK(text.str() ==
        "Sequential(\n"
        "  (0): Linear(in_features=999, out_features=1000, bias=true)\n"
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

}  // namespace
}  // namespace tarsier
