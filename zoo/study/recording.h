#pragma once
// What the study page shows of one forward and backward pass: plain data. The Recorder fills in
// the tape and its numbers, proof.h the proof, `tarsier study` the rest. write_json() writes it.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../../autograd/io/json.h"
#include "../../autograd/tensor/tensor.h"

namespace tarsier::study {

/// Statistics of all elements of a tensor. min to norm are those of the finite elements; 0 if there
/// are none.
struct Statistics {
  double min = 0, max = 0, mean = 0, deviation = 0, norm = 0;
  double zeros = 0;  ///< the share of elements that are 0
  int64_t nan = 0, infinite = 0;
};
Statistics statistics(const Tensor& x);

/// How much of a tensor a page has, if it is too large for all (sampling.h).
enum class Travel {
  whole,    ///< all of it, unless it is huge: it is looked at as a picture
  needed,   ///< as much as fits: sums of the rules read it
  inside,   ///< less: it is inside a fused op
  derived,  ///< least: the page can compute it, or only shows it
};

/// A copy of a tensor's elements. Others refer to it by its index in Recording::tensors; −1 is
/// "none".
struct RecordedTensor {
  Tensor values;                   ///< contiguous, shared with nobody
  std::vector<int64_t> rows = {};  ///< rows that must travel if the tensor is sampled
  Travel travel = Travel::needed;
};

/// A node of the tape, or a leaf.
struct RecordedNode {
  enum class Kind { op, parameter, input, constant };
  Kind kind = Kind::op;
  std::string op, name, path, file;
  int line = 0;
  int source = -1;  ///< of its definition, in Recording::sources
  std::vector<int> inputs;
  std::vector<int> saved;
  int value = -1, grad = -1;
  std::vector<int> edges;
  struct View {
    int64_t offset = 0;
    std::vector<int64_t> strides, base;
  };
  std::optional<View> view;
  int group = -1;  ///< the fused node whose inside this is part of
  double forward_us = 0, backward_us = 0;
  int64_t saved_bytes = 0;
  int backward_order = -1;
  int output = -1;  ///< which part of an op with several outputs
  bool bad = false;
};

/// One element of one node: the derivative of the loss by backward(), and by differences.
struct ProofLine {
  int node = 0;
  int64_t element = 0;
  double analytic = 0, numeric = 0, error = 0;
  bool kink = false;  ///< the function has a corner here (ReLU at 0): the sides differ
};

struct ParameterLine {
  int node = 0;
  double grad_norm = 0, norm = 0, zero_share = 0;
  std::optional<double> error;  ///< the largest of its proof lines
  std::string flag;             ///< "", "no gradient", "all zero" or "dead rows"
};

struct AttentionLine {
  std::string path, kind;
  int node = 0, weights = -1, grad = -1;
  std::string queries, keys;  ///< names in Recording::labels or pictures
};

struct Picture {
  int64_t width = 0, height = 0, channels = 0;
  int tensor = -1;
  int64_t rows = 0, columns = 0;  ///< of patches
};

/// What the optimiser did. A formula is named after its optimiser, in small letters.
struct Update {
  std::string optimizer;  ///< all that took part: "AdamW and Muon"
  std::string formula;    ///< of the weights that name no other
  std::vector<std::pair<std::string, double>> settings = {};
  /// The lines of a formula: what a line is for, in words, and the line in the page's notation.
  struct Formula {
    std::string name;
    std::vector<std::pair<std::string, std::string>> lines = {};
  };
  std::vector<Formula> formulas = {};
  struct State {
    std::string name;
    int before = -1, after = -1;
  };
  struct Weight {
    int node = 0, before = -1, after = -1, gradient = -1;
    double lr = 0, weight_decay = 0;
    std::string formula = "";  ///< if it is not that of the update
    std::vector<State> state = {};
  };
  std::vector<Weight> weights = {};
  struct Clip {
    double norm = 0, max = 0;
  };
  std::optional<Clip> clip = {};
};

struct Learning {
  struct Series {
    std::string name;
    std::vector<double> x = {}, y = {};
  };
  struct Chart {
    std::string title;
    std::vector<Series> series = {};
    bool log = false;
  };
  struct Histogram {
    std::string name;
    double low = 0, high = 0;
    std::vector<int64_t> then = {}, now = {};
  };
  struct Sample {
    int64_t step = 0;
    std::string text;
  };
  std::vector<Chart> charts;
  std::vector<Histogram> histograms;
  std::vector<Sample> samples;
};

/// Lines of a file: an op's definition with its comment and backward, or a file that calls ops.
struct Excerpt {
  std::string file;
  int first = 1;
  std::vector<std::string> lines;
  int mark = 0;  ///< the line of record(); 0 if there is none
};

struct Step {
  int64_t number = 0;
  double loss = 0, learning_rate = 0, forward_us = 0, backward_us = 0;
  uint64_t seed = 0;
  std::string items;  ///< "16 characters"
};

struct Recording {
  std::string title = "an expression", command;
  std::vector<std::pair<std::string, std::string>> facts;
  Step step;
  std::vector<RecordedTensor> tensors;
  std::vector<RecordedNode> nodes;  ///< inputs before the ops that use them
  int loss = -1;
  /// Of the second of two: why its input is not that of the first; "" if it is.
  std::string input_differs;
  std::vector<ProofLine> proof;
  std::string proof_missing;  ///< why there is no proof, if there is none
  std::vector<ParameterLine> parameters;
  std::vector<AttentionLine> attention;
  std::vector<std::pair<std::string, std::vector<std::string>>> labels;
  std::vector<std::pair<std::string, Picture>> pictures;
  std::optional<Update> update;
  std::optional<Learning> learning;
  std::vector<Excerpt> sources;
  std::vector<Excerpt> calls;

  /// Adds a copy of the elements of `x` and returns its index; −1 for an undefined tensor.
  int add_tensor(const Tensor& x);
};

/// The data of a page: the object, and the little-endian f32 that its tensors refer to.
struct PageData {
  std::string json;     ///< every < is written \u003c
  std::string numbers;  ///< base64
};
/// Throws Error("study") if the recording has no nodes.
PageData page_data(const Recording& recording, const Recording* against = nullptr);

/// Base64 (RFC 4648) of bytes, with padding.
std::string base64(const void* data, size_t bytes);

}  // namespace tarsier::study
