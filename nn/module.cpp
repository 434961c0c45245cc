#include "nn/module.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>

#include "autograd/base/numerals.h"
#include "nn/entry.h"
#include "nn/names.h"
#include "nn/unwrap.h"

namespace tarsier::nn {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

/// An Error whose text has the module path added.
class LocatedError : public Error {
 public:
  LocatedError(const Error& error, const std::string& path)
      : Error(error), text_(concat(error.what(), " (in ", path, ")")) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

bool is_number(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// Converts the handle `x`, and every copy of it, to another dtype.
void convert(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return;
  const Tensor converted = tarsier::to(x.detach(), dtype);
  TensorImpl& impl = *x.impl();
  impl.storage = converted.impl()->storage;
  impl.offset = converted.offset();
  impl.strides = converted.strides();
  impl.contiguous = converted.is_contiguous();
  impl.dtype = dtype;
}

}  // namespace

// ------------------------------------------------------------------------------------ registration

void Module::check_name(const std::string& name) const {
  check(!name.empty() && name.find('.') == name.npos, "module", "the name '", name, "' in ",
        type_name(), " must not be empty or contain a dot, because dots join the names of a path");
  bool taken = false;
  for (const auto& entry : tensors_) taken = taken || entry->name == name;
  for (const Module* child : children_) taken = taken || child->name_ == name;
  check(!taken, "module", "the name '", name, "' is registered twice in ", type_name());
}

void Module::register_parameter(std::string name, Tensor& member, Tensor initial) {
  check_name(name);
  member = std::move(initial);
  if (member.defined()) member.requires_grad_(true);
  tensors_.push_back(std::make_unique<Entry>(std::move(name), &member, true, true));
  count_again(*tensors_.back());
}

void Module::register_buffer(std::string name, Tensor& member, Tensor initial, bool persistent) {
  check_name(name);
  member = std::move(initial);
  tensors_.push_back(std::make_unique<Entry>(std::move(name), &member, false, persistent));
}

void Module::check_child(const std::string& name, const Module& member) const {
  check(member.parent_ == nullptr, "module", "the module registered as '", name, "' in ",
        type_name(), " is already registered, as '", member.name_,
        "': to share weights, assign the tensors of one module to another");
  for (const Module* up = this; up != nullptr; up = up->parent_)
    check(up != &member, "module", "'", name, "' in ", type_name(), " would contain itself");
}

void Module::register_module(std::string name, Module& member) {
  check_name(name);
  check_child(name, member);
  member.name_ = std::move(name);
  member.parent_ = this;
  children_.push_back(&member);
}

void Module::replace_module(std::string_view name, Module& member) {
  const auto at = std::find_if(children_.begin(), children_.end(),
                               [&](const Module* child) { return child->name_ == name; });
  check(at != children_.end(), "module", "no module '", name, "' in ", type_name());
  check_child((*at)->name_, member);
  member.name_ = std::move((*at)->name_);
  member.parent_ = this;
  (*at)->name_.clear();
  (*at)->parent_ = nullptr;
  *at = &member;
}

// ------------------------------------------------------------------------------------------- walks

template <class Visit>
void Module::visit_tensors(const std::string& prefix, const Visit& visit) const {
  // PyTorch lists a module's parameters before its buffers.
  for (bool parameters : {true, false})
    for (const auto& entry : tensors_)
      if (entry->is_parameter == parameters && entry->tensor->defined())
        visit(join(prefix, entry->name), *entry);
  for (const Module* child : children_) child->visit_tensors(join(prefix, child->name_), visit);
}

TensorDict Module::named_parameters() const {
  notice_assigned();
  return collect_parameters();
}

TensorDict Module::collect_parameters() const {
  TensorDict parameters;
  std::set<const TensorImpl*> seen;
  visit_tensors("", [&](const std::string& name, const Entry& entry) {
    if (entry.is_parameter && seen.insert(entry.tensor->impl()).second)
      parameters.add(name, *entry.tensor);
  });
  return parameters;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> parameters;
  for (const auto& [name, parameter] : named_parameters()) parameters.push_back(parameter);
  return parameters;
}

int64_t Module::num_parameters() const {
  int64_t count = 0;
  for (const auto& [name, parameter] : collect_parameters()) count += parameter.numel();
  return count;
}

template <class Self>
void Module::collect_modules(Self& module, const std::string& name,
                             std::vector<std::pair<std::string, Self*>>& out) {
  out.emplace_back(name, &module);
  for (Module* child : module.children_)
    collect_modules<Self>(*child, join(name, child->name_), out);
}

std::vector<std::pair<std::string, Module*>> Module::named_modules() {
  std::vector<std::pair<std::string, Module*>> modules;
  collect_modules<Module>(*this, "", modules);
  return modules;
}
std::vector<std::pair<std::string, const Module*>> Module::named_modules() const {
  std::vector<std::pair<std::string, const Module*>> modules;
  collect_modules<const Module>(*this, "", modules);
  return modules;
}

void Module::apply(const std::function<void(Module&)>& fn) {
  for (Module* child : children_) child->apply(fn);
  fn(*this);
}

// ------------------------------------------------------------------------------------------- state

TensorDict Module::state_dict() const {
  TensorDict state;
  visit_tensors("", [&](const std::string& name, const Entry& entry) {
    if (entry.persistent) state.add(name, entry.tensor->detach());
  });
  return state;
}

LoadReport Module::load_state_dict(const TensorDict& state, bool strict) {
  LoadReport report;
  std::vector<std::string> wrong;
  std::vector<std::pair<Tensor, Tensor>> copies;  // to, from
  const TensorDict own = state_dict();
  for (const auto& [name, tensor] : own) {
    const Tensor* given = state.find(name);
    if (given == nullptr) {
      report.missing.push_back(name);
    } else if (!(given->shape() == tensor.shape())) {
      wrong.push_back(concat(name, " is ", given->shape(), " where ", tensor.shape(), " belongs"));
    } else if (given->dtype() != tensor.dtype() &&
               !(is_floating(given->dtype()) && is_floating(tensor.dtype()))) {
      wrong.push_back(concat(name, " is ", given->dtype(), " where ", tensor.dtype(), " belongs"));
    } else {
      copies.emplace_back(tensor, *given);
    }
  }
  for (const auto& [name, tensor] : state)
    if (!own.contains(name)) report.unexpected.push_back(name);

  const bool incomplete = !report.missing.empty() || !report.unexpected.empty();
  if (!wrong.empty() || (strict && incomplete)) {
    fail("load_state_dict", "this state does not fit ", type_name(), ":", list_line("wrong", wrong),
         list_line("missing", report.missing), list_line("unexpected", report.unexpected),
         wrapper_hint(state));
  }
  const NoGrad guard;
  for (const auto& [to, from] : copies) copy_(to, from);
  return report;
}

void Module::train(bool mode) {
  for (const auto& [name, module] : named_modules()) module->training_ = mode;
}

void Module::zero_grad() {
  for (const auto& [name, parameter] : collect_parameters()) parameter.set_grad({});
}

void Module::requires_grad_(bool value) {
  for (auto [name, parameter] : collect_parameters()) parameter.requires_grad_(value);
}

void Module::to(DType dtype) {
  check(is_floating(dtype), "to", "a module can be of dtype f32 or f64, not ", dtype);
  visit_tensors("", [&](const std::string&, const Entry& entry) {
    const Tensor& tensor = *entry.tensor;
    if (!is_floating(tensor.dtype())) return;
    const Tensor grad = tensor.grad();
    tensor.set_grad({});
    convert(tensor, dtype);
    if (grad.defined()) tensor.set_grad(tarsier::to(grad, dtype));
  });
}

// ----------------------------------------------------------------------------------- calls, errors

Tensor Module::call(const Arg&) {
  fail("module", type_name(), " is not a layer that takes one tensor and returns one");
}

void Module::fail_undefined() const {
  fail("module", type_name(),
       " was called with an undefined tensor: assign the result of an op to it first");
}

void Module::fail_hooked() const {
  fail("hook", type_name(), " has hooks, but hooks are for layers that return one tensor");
}

std::string Module::scope_name() const {
  std::string name = name_;
  for (const Module* up = parent_; up != nullptr && !up->opens_scope(); up = up->parent_)
    if (!up->name_.empty()) name = up->name_ + "." + name;
  return name;
}

void Module::rethrow_with_path(const Error& error) {
  // The innermost layer has the longest path. Some errors of the engine already name it.
  const std::string path = module_path();
  const bool named = std::string_view(error.what()).find("in " + path) != std::string_view::npos;
  if (path.empty() || named) throw;
  throw LocatedError(error, path);
}

// ---------------------------------------------------------------------------------------- printing

void Module::print(std::ostream& out, int indent) const {
  const std::string extra = extra_repr();
  out << type_name() << '(' << extra;
  if (!children_.empty()) {
    const std::string margin(static_cast<size_t>(indent), ' ');
    std::vector<std::string> texts;
    for (const Module* child : children_) {
      std::ostringstream text;
      child->print(text, indent + 2);
      texts.push_back(text.str());
    }
    out << '\n';
    for (size_t first = 0, last = 0; first < texts.size(); first = ++last) {
      while (last + 1 < texts.size() && is_number(children_[last + 1]->name_) &&
             is_number(children_[first]->name_) && texts[last + 1] == texts[first])
        ++last;
      out << margin << "  (" << children_[first]->name_;
      if (last > first) out << '-' << children_[last]->name_;
      out << "): ";
      if (last > first) out << last - first + 1 << " x ";
      out << texts[first] << '\n';
    }
    out << margin;
  }
  out << ')';
}

std::ostream& operator<<(std::ostream& out, const Module& module) {
  module.print(out, 0);
  return out << '\n' << with_commas(module.num_parameters()) << " parameters";
}

// ------------------------------------------------------------------------------------ hooks

namespace {

template <class List, class H>
int append(std::shared_ptr<Hooks>& hooks, const Module& owner, List Hooks::*list, H hook) {
  if (!hooks) hooks = std::make_shared<Hooks>();
  hooks->owner = owner.type_name();
  ((*hooks).*list).emplace_back(hooks->next_id, std::move(hook));
  return hooks->next_id++;
}

}  // namespace

int Module::register_forward_pre_hook(ForwardPreHook hook) {
  return append(hooks_, *this, &Hooks::before, std::move(hook));
}
int Module::register_forward_hook(ForwardHook hook) {
  return append(hooks_, *this, &Hooks::after, std::move(hook));
}
int Module::register_full_backward_hook(BackwardHook hook) {
  return append(hooks_, *this, &Hooks::backward, std::move(hook));
}

void Module::remove_hook(int id) {
  if (!hooks_) return;
  const auto has_id = [id](const auto& entry) { return entry.first == id; };
  std::erase_if(hooks_->before, has_id);
  std::erase_if(hooks_->after, has_id);
  std::erase_if(hooks_->backward, has_id);
}

}  // namespace tarsier::nn
