// Self-attention, as small as possible: one layer learns to reverse ten sequences. For that each
// token must find another one, and attention is how tokens find each other.
#include <cmath>
#include <iostream>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "optim/optim.h"
using namespace tarsier;

constexpr int64_t B = 10, T = 6, C = 16;  // B sequences of T tokens, each a vector of C numbers

struct SelfAttention : nn::Layer<SelfAttention> {
  Tensor position;  // (T, C): the embedding of each position
  nn::Linear query{C, C}, key{C, C}, value{C, C}, output{C, C};

  SelfAttention() {  // optimiser and file know the parts by these names
    register_parameter("position", position, randn({T, C}));
    register_module("query", query);
    register_module("key", key);
    register_module("value", value);
    register_module("output", output);
  }

  Tensor forward(const Arg& x) {                                // (B, T, C)
    const Tensor placed = x + position;                         // the same positions in every row
    const Tensor q = query(placed);                             // what each token looks for
    const Tensor k = key(placed);                               // what each can be found by
    const Tensor v = value(x);                                  // what each passes on
    const Tensor scores = matmul(q, transpose(k, 1, 2));        // (B, T, T): q of t · k of s
    const Tensor weights = softmax(scores / std::sqrt(C), -1);  // each row ≥ 0, with the sum 1
    return output(matmul(weights, v));                          // (B, T, C): weighted means of v
  }
};

int main(int argc, char** argv) try {
  const std::string path = argc > 1 ? argv[1] : "self-attention.safetensors";
  manual_seed(1);  // the same random numbers every time
  const Tensor x = randn({B, T, C});
  const Tensor backwards = flip(x, {1});  // (B, T, C): the last token first

  SelfAttention model;
  optim::Adam adam(model.named_parameters(), {.lr = 1e-2});
  for (int epoch = 1; epoch <= 200; ++epoch) {
    const Tensor loss = nn::mse_loss(model(x), backwards);
    adam.zero_grad();
    loss.backward();  // the gradient of the loss with respect to every parameter
    adam.step();      // a small step against it
    std::cout << "epoch " << epoch << "  loss " << loss.item() << "\n";
  }
  save_safetensors(path, model.state_dict());
  SelfAttention loaded;  // a new model with other random weights, until:
  loaded.load_state_dict(load_safetensors(path));
  const bool same = loaded(x).to_vector() == model(x).to_vector();
  std::cout << "Saved in " << path << ". Loaded, it says "
            << (same ? "the same.\n" : "something else.\n");
  return same ? 0 : 1;
} catch (const Error& error) {
  return std::cerr << error.what() << "\n", 1;
}
