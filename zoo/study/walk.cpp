#include "zoo/study/walk.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "zoo/data/text.h"
#include "zoo/report/svg.h"

namespace tarsier::study {

namespace {

constexpr size_t kIdWidth = 5, kOpWidth = 30, kShapeWidth = 18;

std::string text_of(const Shape& shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

std::string padded(std::string text, size_t width) {
  const auto size = static_cast<size_t>(zoo::count_characters(text));
  return text.append(size < width ? width - size : 1, ' ');
}

/// "0.12 −0.3 1.5 …": the first elements.
std::string numbers(const Recording& recording, int tensor) {
  if (tensor < 0) return "–";
  const Tensor& x = recording.tensors[static_cast<size_t>(tensor)].values;
  const std::vector<double> values = x.to_vector();
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(3, values.size()); ++i)
    text.append(i > 0 ? " " : "").append(zoo::short_number(values[i]));
  return text.append(values.size() > 3 ? " …" : "");
}

std::string name_of(const RecordedNode& node) {
  return node.kind == RecordedNode::Kind::op ? node.op : node.name;
}

std::string inputs_of(const RecordedNode& node) {
  std::string text;
  for (const int input : node.inputs)
    text.append(text.empty() ? "(" : ", ").append(input < 0 ? "–" : std::to_string(input));
  return text.append(text.empty() ? "" : ")");
}

std::string shape_of(const Recording& recording, const RecordedNode& node) {
  if (node.value < 0) return "";
  return text_of(recording.tensors[static_cast<size_t>(node.value)].values.shape());
}

/// Views have the numbers of their inputs, and what is inside a fused op repeats it.
bool is_shown(const RecordedNode& node) { return !node.view && node.group < 0; }

void print_line(const Recording& recording, int id, int tensor, std::ostream& out) {
  const RecordedNode& node = recording.nodes[static_cast<size_t>(id)];
  out << "  " << padded(std::to_string(id), kIdWidth)
      << padded(name_of(node) + inputs_of(node), kOpWidth)
      << padded(shape_of(recording, node), kShapeWidth) << numbers(recording, tensor) << "\n";
}

void print_path(const RecordedNode& node, std::string& path, std::ostream& out) {
  if (node.path == path) return;
  path = node.path;
  out << (path.empty() ? "outside of modules" : path) << "\n";
}

}  // namespace

void print_walk(const Recording& recording, std::ostream& out) {
  out << recording.title << "\n\nForward: node, op (its inputs), shape, first numbers\n\n";
  std::string path = "\n";  // no path
  for (int id = 0; id < static_cast<int>(recording.nodes.size()); ++id) {
    const RecordedNode& node = recording.nodes[static_cast<size_t>(id)];
    if (!is_shown(node)) continue;
    print_path(node, path, out);
    print_line(recording, id, node.value, out);
  }
  out << "\nloss " << zoo::short_number(recording.step.loss)
      << "\n\nBackward: the gradient of the loss for each of these results\n\n";

  std::vector<int> order;
  for (int id = 0; id < static_cast<int>(recording.nodes.size()); ++id) {
    const RecordedNode& node = recording.nodes[static_cast<size_t>(id)];
    if (is_shown(node) && node.grad >= 0) order.push_back(id);
  }
  // Leaves have no turn of their own: they come in the end.
  std::ranges::stable_sort(order, {}, [&](int id) {
    return static_cast<unsigned>(recording.nodes[static_cast<size_t>(id)].backward_order);
  });
  std::string walked = "\n";
  for (const int id : order) {
    const RecordedNode& node = recording.nodes[static_cast<size_t>(id)];
    print_path(node, walked, out);
    print_line(recording, id, node.grad, out);
  }
}

}  // namespace tarsier::study
