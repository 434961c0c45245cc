#include "autograd/tape/print_tape.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "autograd/tape/node.h"

namespace tarsier {
namespace {

/// The nodes that lead to x, oldest first.
std::vector<const Node*> nodes_of(const Tensor& x, const char* op) {
  check(x.defined() && !x.is_leaf(), op,
        "this tensor has no tape: no op was recorded for it. Call ",
        "requires_grad_() on an input, and compute it where gradients are enabled");
  std::vector<const Node*> found, waiting{x.impl()->node.get()};
  std::unordered_set<const Node*> seen{waiting[0]};
  while (!waiting.empty()) {
    const Node* node = waiting.back();
    waiting.pop_back();
    found.push_back(node);
    for (const Node::Edge& edge : node->inputs)
      if (edge.node && seen.insert(edge.node.get()).second) waiting.push_back(edge.node.get());
  }
  std::sort(found.begin(), found.end(),
            [](const Node* a, const Node* b) { return a->sequence < b->sequence; });
  return found;
}

std::unordered_map<const Node*, size_t> numbered(const std::vector<const Node*>& nodes) {
  std::unordered_map<const Node*, size_t> numbers;
  for (size_t i = 0; i < nodes.size(); ++i) numbers[nodes[i]] = i;
  return numbers;
}

/// "model.h:12"
std::string place_of(const Node& node) {
  const std::string_view file = node.at.file_name();
  return concat(file.substr(file.rfind('/') + 1), ":", node.at.line());
}

std::string path_of(const Node& node) { return node.module_path ? *node.module_path : ""; }

/// "split", or "split [1]" for the part of an op with several outputs.
std::string name_of(const Node& node) {
  const int part = node.inputs.empty() ? -1 : node.inputs[0].output;
  return part < 0 ? node.name : concat(node.name, " [", part, "]");
}

std::string shape_of(const Node& node) {
  return node.outputs > 0 ? concat(node.outputs, " parts") : concat(node.output_shape);
}

/// The columns a character takes: those of UTF-8 that continue one take none.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// `text` in the quotes of Graphviz.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Writes boxes for ops, those of one module together, and arrows.
class DotWriter {
 public:
  explicit DotWriter(const std::vector<const Node*>& nodes)
      : nodes_(nodes), numbers_(numbered(nodes)) {}

  std::string write() {
    out_ = "digraph tape {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\"];\n";
    std::map<std::string, std::vector<size_t>> modules;
    for (size_t i = 0; i < nodes_.size(); ++i) modules[path_of(*nodes_[i])].push_back(i);
    int cluster = 0;
    for (const auto& [path, members] : modules) {
      if (!path.empty())
        out_ += concat("  subgraph cluster_", cluster++, " {\n    label=", quoted(path), ";\n");
      for (const size_t i : members)
        out_ +=
            concat("    n", i, " [label=",
                   label(name_of(*nodes_[i]), shape_of(*nodes_[i]), place_of(*nodes_[i])), "];\n");
      if (!path.empty()) out_ += "  }\n";
    }
    for (size_t i = 0; i < nodes_.size(); ++i)
      for (const Node::Edge& edge : nodes_[i]->inputs) write_edge(i, edge);
    return out_ + "}\n";
  }

 private:
  static std::string label(const std::string& a, const std::string& b, const std::string& c = "") {
    std::string text = quoted(a);
    text.pop_back();
    for (const std::string& line : {b, c})
      if (!line.empty()) text += "\\n" + quoted(line).substr(1, quoted(line).size() - 2);
    return text + '"';
  }

  void write_edge(size_t to, const Node::Edge& edge) {
    if (edge.node) {
      out_ += concat("  n", numbers_.at(edge.node.get()), " -> n", to, ";\n");
    } else if (edge.leaf) {
      const auto [leaf, is_new] = leaves_.try_emplace(edge.leaf.get(), leaves_.size());
      if (is_new)
        out_ += concat("  leaf", leaf->second,
                       " [shape=ellipse, label=", label("leaf", concat(edge.shape)), "];\n");
      out_ += concat("  leaf", leaf->second, " -> n", to, ";\n");
    }
  }

  const std::vector<const Node*>& nodes_;
  const std::unordered_map<const Node*, size_t> numbers_;
  std::unordered_map<const TensorImpl*, size_t> leaves_;
  std::string out_;
};

}  // namespace

namespace tape {

void print(const Tensor& x, std::ostream& out, SourceLine at) {
  const CallSite site(at);
  const std::vector<const Node*> nodes = nodes_of(x, "print");
  const auto numbers = numbered(nodes);
  using Row = std::array<std::string, 6>;
  std::vector<Row> rows{{"#", "op", "shape", "inputs", "path", "line"}};
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    std::string inputs;
    for (const Node::Edge& edge : node.inputs) {
      if (!inputs.empty()) inputs += ' ';
      if (!edge.given)
        inputs += "–";
      else if (edge.node)
        inputs += concat(numbers.at(edge.node.get()));
      else
        inputs += concat(edge.shape, edge.leaf ? "*" : "");
    }
    rows.push_back(
        {concat(i), name_of(node), shape_of(node), inputs, path_of(node), place_of(node)});
  }
  std::array<size_t, 6> widths{};
  for (const Row& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  for (const Row& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      line += row[c];
      if (c + 1 < row.size()) line.append(widths[c] - width(row[c]) + 2, ' ');
    }
    out << line << '\n';
  }
}

void print(const Tensor& x, SourceLine at) { print(x, std::cout, at); }

}  // namespace tape

std::string to_dot(const Tensor& x, SourceLine at) {
  const CallSite site(at);
  return DotWriter(nodes_of(x, "to_dot")).write();
}

}  // namespace tarsier
