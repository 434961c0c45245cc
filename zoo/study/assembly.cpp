#include "zoo/study/assembly.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "zoo/study/sources.h"

namespace tarsier::study {
namespace {

using Kind = RecordedNode::Kind;

// More are never shown: a page has room for a third of them (page.h), or one module does.
constexpr size_t kMostNodes = 60'000;

bool same_memory(const Tensor& a, const Tensor& b) {
  return a.impl() == b.impl() ||
         (a.impl()->storage == b.impl()->storage && a.offset() == b.offset() &&
          a.shape() == b.shape() && a.strides() == b.strides());
}

/// Turns a log into what the page shows: only what belongs to the loss, insides after their node.
class Assembly {
 public:
  Assembly(const TapeLog& log, const Names& names) : log_(log), names_(names) {}

  Assembled run() {
    choose();
    for (size_t id = 0; id < log_.entries().size(); ++id)
      if (log_.entries()[id].node.group < 0) emit(static_cast<int>(id));
    recording_.loss = new_id_.at(log_.root());
    add_sources();
    add_parameters();
    mark_bad();
    mark_sampling();
    add_attention();
    add_step();
    return {std::move(recording_), std::move(origin_)};
  }

 private:
  const LogEntry& entry(int id) const { return log_.entries()[static_cast<size_t>(id)]; }
  RecordedNode& node(int id) { return recording_.nodes[static_cast<size_t>(id)]; }
  const Tensor& values(int tensor) const {
    return recording_.tensors[static_cast<size_t>(tensor)].values;
  }

  /// What the last walk visited, and what leads there. Inputs come before outputs.
  void choose() {
    const auto& entries = log_.entries();
    wanted_.assign(entries.size(), false);
    inside_.resize(entries.size());
    for (size_t id = entries.size(); id-- > 0;) {
      const LogEntry& e = entries[id];
      if (e.walk == log_.walk() && e.node.kind == Kind::op) wanted_[id] = true;
      if (e.node.group >= 0)
        inside_[static_cast<size_t>(e.node.group)].push_back(static_cast<int>(id));
      if (!wanted_[id]) continue;
      for (const int input : e.node.inputs)
        if (input >= 0) wanted_[static_cast<size_t>(input)] = true;
    }
    for (size_t id = 0; id < entries.size(); ++id)
      if (entries[id].node.group >= 0)
        wanted_[id] =
            entries[id].walk == log_.walk() && wanted_[static_cast<size_t>(entries[id].node.group)];
    for (auto& inside : inside_) std::reverse(inside.begin(), inside.end());
  }

  /// A constant that no op has as an input is there for those that saved it.
  bool is_shown(int id) const {
    const LogEntry& e = entry(id);
    if (e.hidden) return false;
    if (wanted_[static_cast<size_t>(id)]) return true;
    if (e.node.kind == Kind::op) return false;
    for (size_t next = static_cast<size_t>(id) + 1; next < log_.entries().size(); ++next) {
      const LogEntry& user = log_.entries()[next];
      if (user.node.kind != Kind::op) continue;
      return wanted_[next] && std::find(user.node.saved.begin(), user.node.saved.end(),
                                        e.node.value) != user.node.saved.end();
    }
    return false;
  }

  void emit(int id) {
    if (new_id_.contains(id) || !is_shown(id)) return;
    const LogEntry& e = entry(id);
    RecordedNode copy = e.node;
    for (int& input : copy.inputs) {
      if (input < 0) continue;
      emit(input);  // leaves whose first use was elsewhere
      const auto known = new_id_.find(input);
      input = known == new_id_.end() ? -1 : known->second;
    }
    if (copy.group >= 0) copy.group = new_id_.at(copy.group);
    copy.edges.resize(copy.inputs.size(), -1);
    if (copy.kind == Kind::op && e.walk != log_.walk()) {
      copy.grad = copy.backward_order = -1;
      copy.edges.assign(copy.inputs.size(), -1);
    }
    if (copy.kind != Kind::op) describe_leaf(e, copy);
    copy.value = use(copy.value);
    copy.grad = use(copy.grad);
    for (int& tensor : copy.saved) tensor = use(tensor);
    for (int& tensor : copy.edges) tensor = use(tensor);
    check(recording_.nodes.size() < kMostNodes, "study", "the recording has more than ", kMostNodes,
          " nodes, too many to show: record one step, of a smaller model or of shorter inputs");
    new_id_[id] = static_cast<int>(recording_.nodes.size());
    recording_.nodes.push_back(std::move(copy));
    defined_at_.push_back(e.defined_at);
    origin_.push_back(id);
    for (const int inner : inside_[static_cast<size_t>(id)]) emit(inner);
  }

  /// The index in the recording of a snapshot.
  int use(int snapshot) {
    if (snapshot < 0) return -1;
    const auto [place, is_new] =
        tensor_.try_emplace(snapshot, static_cast<int>(recording_.tensors.size()));
    if (is_new) recording_.tensors.push_back({log_.snapshots()[snapshot]});
    return place->second;
  }

  void describe_leaf(const LogEntry& e, RecordedNode& leaf) {
    if (e.walk != log_.walk()) leaf.grad = -1;
    for (const auto& [name, tensor] : names_) {
      if (!same_memory(tensor, e.leaf)) continue;
      leaf.name = name;
      const size_t dot = name.rfind('.');
      leaf.path = dot == std::string::npos ? "" : name.substr(0, dot);
      if (leaf.kind == Kind::constant) leaf.kind = Kind::input;
      return;
    }
    leaf.name = concat(leaf.kind == Kind::parameter ? "leaf " : "constant ", ++unnamed_);
  }

  // ---- what is derived from the nodes ----

  void add_sources() {
    std::map<std::string, int> known;
    std::map<std::string, bool> callers;
    for (size_t id = 0; id < recording_.nodes.size(); ++id) {
      RecordedNode& n = recording_.nodes[id];
      if (n.kind != Kind::op) continue;
      const SourceLine& at = defined_at_[id];
      const std::string key = concat(n.op, " ", at.file_name(), ":", at.line());
      const auto [place, is_new] = known.try_emplace(key, -1);
      if (is_new)
        if (auto found = definition_of(n.op, at.file_name(), static_cast<int>(at.line()))) {
          place->second = static_cast<int>(recording_.sources.size());
          recording_.sources.push_back(std::move(*found));
        }
      n.source = place->second;
      if (!callers.try_emplace(n.file, true).second) continue;
      if (auto file = whole_file(n.file)) recording_.calls.push_back(std::move(*file));
    }
  }

  /// Whether all elements of a leaf take part: not so of tables, of which rows are chosen.
  bool is_used_whole(int leaf) const {
    return std::all_of(recording_.nodes.begin(), recording_.nodes.end(), [&](const auto& n) {
      const bool uses = std::find(n.inputs.begin(), n.inputs.end(), leaf) != n.inputs.end();
      return !uses || n.op == "linear" || n.op == "matmul" || n.group >= 0;
    });
  }

  void add_parameters() {
    for (size_t id = 0; id < recording_.nodes.size(); ++id) {
      const RecordedNode& n = recording_.nodes[id];
      if (n.kind != Kind::parameter) continue;
      ParameterLine line;
      line.node = static_cast<int>(id);
      line.norm = statistics(values(n.value)).norm;
      if (n.grad < 0) {
        line.flag = "no gradient";
      } else {
        const Statistics s = statistics(values(n.grad));
        line.grad_norm = s.norm;
        line.zero_share = s.zeros;
        if (s.zeros == 1)
          line.flag = "all zero";
        else if (has_dead_row(values(n.grad)) && is_used_whole(line.node))
          line.flag = "dead rows";
      }
      recording_.parameters.push_back(std::move(line));
    }
  }

  /// Whether a row of a matrix got no gradient at all: a unit that never fires.
  static bool has_dead_row(const Tensor& x) {
    if (x.dim() < 2 || x.numel() == 0) return false;
    const std::vector<double> all = x.to_vector();
    const auto length = all.size() / static_cast<size_t>(x.shape()[0]);
    for (size_t row = 0; row < all.size(); row += length)
      if (std::all_of(all.begin() + static_cast<int64_t>(row),
                      all.begin() + static_cast<int64_t>(row + length),
                      [](double v) { return v == 0; }))
        return true;
    return false;
  }

  /// Masks of −∞ are meant. So infinities are a fault only if a NaN or the loss shows it.
  void mark_bad() {
    bool fault = false;
    std::vector<Statistics> of(recording_.nodes.size());
    for (size_t id = 0; id < of.size(); ++id) {
      const RecordedNode& n = recording_.nodes[id];
      of[id] = statistics(values(n.value));
      if (n.group < 0) fault = fault || of[id].nan > 0;
      if (n.grad >= 0) fault = fault || statistics(values(n.grad)).nan > 0;
    }
    fault = fault || of[static_cast<size_t>(recording_.loss)].infinite > 0;
    for (size_t id = 0; id < of.size() && fault; ++id) {
      RecordedNode& n = recording_.nodes[id];
      const bool mask = n.op == "masked_fill" || n.op == "where" || n.kind == Kind::constant;
      if (n.group >= 0 || (of[id].nan == 0 && (of[id].infinite == 0 || mask))) continue;
      n.bad = true;
      return;
    }
  }

  /// Which tensors the page can compute from others, and which rows it needs.
  void mark_sampling() {
    std::vector<Travel> travel(recording_.tensors.size(), Travel::derived);
    const auto use = [&](int tensor, Travel how) {
      if (tensor < 0) return;
      Travel& now = travel[static_cast<size_t>(tensor)];
      now = std::min(now, how);
    };
    for (const RecordedNode& n : recording_.nodes) {
      // What is inside an attention is looked at; a norm is explained by its own numbers.
      const bool aside = n.group >= 0 && node(n.group).op.find("attention") == std::string::npos;
      const Travel here = n.group >= 0 ? Travel::inside : Travel::needed;
      use(n.value, n.view || aside ? Travel::derived : here);
      use(n.grad, n.kind == Kind::op && !aside ? here : Travel::derived);
      // A loss is one sum over all its logits, and so is its rule; every path begins there.
      const bool loss = n.op == "cross_entropy";
      for (const int tensor : n.saved) use(tensor, loss ? Travel::whole : here);
      const bool product = n.op == "linear" || n.op == "matmul" || n.op == "embedding";
      for (const int tensor : n.edges)
        use(tensor, loss                      ? Travel::whole
                    : product || n.group >= 0 ? Travel::derived
                                              : Travel::needed);
      if (n.op == "embedding" && n.inputs[0] >= 0) add_rows(n);
    }
    for (size_t i = 0; i < travel.size(); ++i) recording_.tensors[i].travel = travel[i];
  }

  void add_rows(const RecordedNode& embedding) {
    const RecordedNode& table = node(embedding.inputs[0]);
    for (const int saved : embedding.saved) {
      if (saved < 0 || values(saved).dtype() != i64) continue;
      for (const int tensor : {table.value, table.grad, embedding.edges[0]}) {
        if (tensor < 0) continue;
        auto& rows = recording_.tensors[static_cast<size_t>(tensor)].rows;
        for (const int64_t row : values(saved).to_vector<int64_t>()) rows.push_back(row);
      }
    }
  }

  /// The node of the weights of an attention, before dropout, if `product` is their product with
  /// the values: of an attention op the left factor of the last product inside it, of an attention
  /// that is written out a softmax (B, H, T, T'). −1 if it is something else.
  int weights_in(const RecordedNode& product) {
    if (product.op != "matmul" || product.inputs[0] < 0) return -1;
    int from = product.inputs[0];
    const auto is = [&](const char* op) { return from >= 0 && node(from).op == op; };
    while (is("mul") || is("where") || is("dropout")) from = node(from).inputs[0];
    if (product.group < 0) return is("softmax") && values(node(from).value).dim() == 4 ? from : -1;
    const RecordedNode& fused = node(product.group);
    const bool last = fused.op.find("attention") != std::string::npos &&
                      values(product.value).shape() == values(fused.value).shape() &&
                      node(product.inputs[0]).group == product.group;
    return last ? from : -1;
  }

  void add_attention() {
    std::map<std::string, int> passes;
    for (const RecordedNode& n : recording_.nodes) {
      const int softmax = weights_in(n);
      if (softmax < 0) continue;
      const RecordedNode& weights = node(softmax);
      std::string path = n.group < 0 ? n.path : node(n.group).path;
      const int pass = ++passes[path];  // a layer may be used again and again
      if (pass > 1) path += concat(".pass ", pass);
      for (const int tensor : {weights.value, weights.grad})
        if (tensor >= 0) recording_.tensors[static_cast<size_t>(tensor)].travel = Travel::whole;
      recording_.attention.push_back({.path = path,
                                      .kind = attention_kind(path),
                                      .node = softmax,
                                      .weights = weights.value,
                                      .grad = weights.grad,
                                      .queries = "",
                                      .keys = ""});
    }
  }

  static std::string attention_kind(const std::string& path) {
    if (path.find("cross") != path.npos || path.find("multihead_attn") != path.npos) return "cross";
    if (path.find("decoder") != path.npos) return "decoder self";
    if (path.find("encoder") != path.npos) return "encoder self";
    return "self";
  }

  void add_step() {
    const Tensor& loss = values(node(recording_.loss).value);
    recording_.step.number = 1;
    recording_.step.loss = loss.numel() == 1 ? loss.item() : std::nan("");
    for (const RecordedNode& n : recording_.nodes) {
      if (n.group >= 0) continue;
      recording_.step.forward_us += n.forward_us;
      recording_.step.backward_us += n.backward_us;
    }
  }

  const TapeLog& log_;
  const Names& names_;
  Recording recording_;
  std::vector<bool> wanted_;
  std::vector<std::vector<int>> inside_;
  std::map<int, int> new_id_, tensor_;
  std::vector<SourceLine> defined_at_;
  std::vector<int> origin_;
  int unnamed_ = 0;
};

}  // namespace

Assembled assemble(const TapeLog& log, const Names& names) {
  const ObserverScope nobody(nullptr);
  const NoGrad no_grad;
  check(!log.entries().empty(), "study", "nothing was recorded: either nothing in the ",
        "expression requires a gradient (call requires_grad_() on a weight), or the recorder was ",
        "made after the forward pass (make it before)");
  check(log.walk() > 0, "study", "there are no gradients yet: call backward() on the loss, ",
        "then write the page");
  check(log.root() >= 0, "study", "the last backward() began at a result that was computed ",
        "before the recorder was made: make the recorder before the forward pass");
  return Assembly(log, names).run();
}

}  // namespace tarsier::study
