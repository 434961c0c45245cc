#include "nn/guard.h"

#include <atomic>
#include <cmath>
#include <memory>
#include <mutex>
#include <ostream>
#include <unordered_map>
#include <unordered_set>

#include "autograd/tape/node.h"
#include "nn/entry.h"

namespace tarsier::nn {
namespace {

/// The innermost module that this thread is calling.
thread_local const Module* calling = nullptr;

/// Held while a module checks an assigned tensor, because it may be called on several threads.
std::mutex& assigned_mutex() {
  static std::mutex mutex;
  return mutex;
}

uint64_t next_birth() {
  static std::atomic<uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void print_line(std::ostream& out, const char* title, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    out << (&name == &names.front() ? title : ", ") << name << (&name == &names.back() ? "\n" : "");
}

}  // namespace

// -------------------------------------------------------------------------- owners of parameters

Module::Module() : birth_(next_birth()) {}

Module::~Module() {
  for (const auto& entry : tensors_)
    if (entry->counted) --entry->counted->modules;
}

std::string Module::path() const {
  if (parent_ == nullptr) return name_;
  const std::string above = parent_->path();
  return above.empty() ? name_ : above + "." + name_;
}

void Module::count_again(Entry& entry) {
  // A result of a recorded op would keep its whole graph alive; it is not a parameter.
  const bool leaf = entry.tensor->defined() && entry.tensor->is_leaf();
  if (entry.counted) --entry.counted->modules;
  entry.counted = leaf ? entry.tensor->impl_ptr() : nullptr;
  if (entry.counted) ++entry.counted->modules;
  entry.known.store(entry.counted.get(), std::memory_order_relaxed);
}

void Module::take_in(Entry& entry) const {
  const std::lock_guard lock(assigned_mutex());
  const Tensor& now = *entry.tensor;
  const bool trained = !entry.counted || entry.counted->requires_grad;
  if (now.defined() && !now.requires_grad() && trained) {
    const std::string above = path();
    fail("module", "'", above.empty() ? "" : above + ".", entry.name, "' of ", type_name(),
         " was assigned a tensor that requires no gradient, so it would not be trained: keep the ",
         "parameter and copy_() the values into it under NoGrad, or assign after ",
         "requires_grad_(). To freeze it, call requires_grad_(false) on the old one first");
  }
  count_again(entry);
}

void Module::notice_assigned() const {
  for (const auto& entry : tensors_)
    if (entry->is_parameter &&
        entry->known.load(std::memory_order_relaxed) != entry->tensor->impl()) [[unlikely]]
      take_in(*entry);
  for (const Module* child : children_) child->notice_assigned();
}

void Module::check_registered(const Module& caller) const {
  for (const auto& [name, parameter] : collect_parameters())
    if (parameter.requires_grad() && parameter.impl()->optimizers == 0)
      fail("module", "a ", type_name(), "(", extra_repr(), ") that ", caller.type_name(),
           " made and calls is not registered, so its '", name,
           "' would not be trained: call register_module(\"name\", member) in the constructor of ",
           caller.type_name(),
           ", or requires_grad_(false) on parameters that should not be trained");
}

Module::Calling::Calling(const Module& module)
    : before_(calling),
      scope_line_before_(tarsier::detail::scope_line),
      scope_(module.scope_name()) {
  if (grad_enabled() && (before_ == nullptr || module.parent_ == nullptr)) {
    module.notice_assigned();
    // A module that the caller has by reference is older than the caller.
    if (before_ != nullptr && module.birth_ > before_->birth_) module.check_registered(*before_);
  }
  calling = &module;
  tarsier::detail::scope_line = nullptr;
}

Module::Calling::~Calling() {
  calling = before_;
  tarsier::detail::scope_line = scope_line_before_;
}

void Module::check_leaves(const Tensor& output, uint64_t first,
                          const std::vector<Tensor>& arguments) {
  if (!output.defined() || !output.requires_grad() || output.is_leaf()) return;
  struct Use {
    const Node* node = nullptr;  // one of the nodes that use the leaf
    long handles = 0;            // the graph's handles of it
  };
  std::unordered_map<std::shared_ptr<TensorImpl>, Use> leaves;
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> stack{output.impl()->node.get()};
  while (!stack.empty()) {
    const Node& node = *stack.back();
    stack.pop_back();
    if (node.sequence < first || !seen.insert(&node).second) continue;
    for (const Node::Edge& edge : node.inputs) {
      if (edge.node) stack.push_back(edge.node.get());
      if (!edge.leaf || edge.leaf->modules > 0 || edge.leaf->optimizers > 0) continue;
      Use& use = leaves[edge.leaf];
      use.node = &node;
      ++use.handles;
    }
    for (const Node::SavedTensor& saved : node.saved)
      if (const auto leaf = leaves.find(saved.tensor.impl_ptr()); leaf != leaves.end())
        ++leaf->second.handles;
  }
  for (const Tensor& argument : arguments) leaves.erase(argument.impl_ptr());
  for (const auto& [leaf, use] : leaves)
    // A tensor that only the graph (and this map) holds was made in forward, and is not a member.
    check(leaf.use_count() <= use.handles + 1, "module", "a tensor of shape ", leaf->shape,
          " that requires a gradient is used in ", type_name(), " (in ", use.node->describe(),
          "), but is not a parameter, so it would not be trained: call ",
          "register_parameter(\"name\", member, value) in the constructor of its module, or pass ",
          "it as an argument of the call");
  leaves_checked_.store(true, std::memory_order_relaxed);
}

// --------------------------------------------------------------------------------------- gradients

GradientReport check_gradients(const Module& module) {
  const NoGrad guard;
  GradientReport report;
  for (const auto& [name, parameter] : module.named_parameters()) {
    if (!parameter.requires_grad() || parameter.numel() == 0) continue;
    const Tensor grad = parameter.grad();
    if (!grad.defined()) {
      report.missing.push_back(name);
      continue;
    }
    const double largest = max(abs(grad)).item();  // NaN if there is one
    if (largest == 0) report.zero.push_back(name);
    if (!std::isfinite(largest)) report.non_finite.push_back(name);
  }
  return report;
}

std::ostream& operator<<(std::ostream& out, const GradientReport& report) {
  print_line(out, "no gradient: ", report.missing);
  print_line(out, "all-zero gradient: ", report.zero);
  print_line(out, "NaN or infinite gradient: ", report.non_finite);
  return out;
}

}  // namespace tarsier::nn
