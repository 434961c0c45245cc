#include "zoo/study/module.h"

#include <algorithm>

#include "zoo/base/usage_error.h"

namespace tarsier::study {

namespace {

bool is_under(const std::string& path, const std::string& module) {
  return path == module || path.starts_with(module + ".");
}

/// `ids` in the numbers of the nodes that are kept.
std::vector<int> renumbered(const std::vector<int>& ids, const std::vector<int>& place) {
  std::vector<int> out;
  for (const int id : ids) out.push_back(id < 0 ? -1 : place[static_cast<size_t>(id)]);
  return out;
}

/// A node that is not part of the module, but feeds it.
RecordedNode as_input(RecordedNode node) {
  if (node.kind == RecordedNode::Kind::op) {
    node.name = concat(node.op, " in ", node.path.empty() ? "no module" : node.path);
    node.kind = RecordedNode::Kind::input;
  }
  node.inputs.clear();
  node.saved.clear();
  node.edges.clear();
  node.view.reset();
  node.group = -1;
  return node;
}

/// Drops the lines about nodes that are not kept, and renumbers the others.
template <class Line>
void keep_lines(std::vector<Line>& lines, const std::vector<int>& place) {
  std::erase_if(lines, [&](const Line& l) { return place[static_cast<size_t>(l.node)] < 0; });
  for (Line& line : lines) line.node = place[static_cast<size_t>(line.node)];
}

}  // namespace

std::vector<std::string> module_paths(const Recording& recording, int depth) {
  std::vector<std::string> paths;
  for (const RecordedNode& node : recording.nodes) {
    size_t end = 0;
    for (int i = 0; i < depth && end < node.path.size(); ++i) {
      end = std::min(node.path.find('.', end + (i > 0 ? 1 : 0)), node.path.size());
      const std::string path = node.path.substr(0, end);
      if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
    }
  }
  return paths;
}

Recording only_module(const Recording& recording, const std::string& path) {
  const auto count = recording.nodes.size();
  std::vector<bool> inside(count), kept(count);
  for (size_t i = 0; i < count; ++i) {
    const RecordedNode& node = recording.nodes[i];
    inside[i] = node.kind == RecordedNode::Kind::op && is_under(node.path, path);
    if (!inside[i]) continue;
    kept[i] = true;
    for (const int input : node.inputs)
      if (input >= 0) kept[static_cast<size_t>(input)] = true;
    if (node.group >= 0) kept[static_cast<size_t>(node.group)] = true;
  }
  check(std::ranges::find(inside, true) != inside.end(), "study", "there is no module '", path,
        "' in the pass", zoo::among(path, module_paths(recording, 3)));
  if (recording.loss >= 0) kept[static_cast<size_t>(recording.loss)] = true;

  Recording part = recording;
  part.nodes.clear();
  std::vector<int> place(count, -1);
  for (size_t i = 0; i < count; ++i) {
    if (!kept[i]) continue;
    place[i] = static_cast<int>(part.nodes.size());
    RecordedNode node = inside[i] ? recording.nodes[i] : as_input(recording.nodes[i]);
    node.inputs = renumbered(node.inputs, place);
    if (node.group >= 0) node.group = place[static_cast<size_t>(node.group)];
    part.nodes.push_back(std::move(node));
  }
  part.loss = recording.loss < 0 ? -1 : place[static_cast<size_t>(recording.loss)];
  keep_lines(part.proof, place);
  keep_lines(part.parameters, place);
  keep_lines(part.attention, place);
  if (part.update) keep_lines(part.update->weights, place);
  part.title += ", " + path;
  return part;
}

}  // namespace tarsier::study
