#pragma once
// Containers of modules.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "module.h"

namespace tarsier::nn {

/// Layers, each of which takes the output of the one before. Named "0", "1", … unless given a name.
///   nn::Sequential mlp;
///   mlp.add<nn::Linear>(784, 128).add<nn::GELU>().add<nn::Linear>(128, 10);
/// As https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
class Sequential : public Layer<Sequential> {
 public:
  /// Makes a layer M(args…) and appends it. Returns *this.
  template <class M, class... Args>
  Sequential& add(Args&&... args) {
    return add_named<M>(next_name(), std::forward<Args>(args)...);
  }
  template <class M, class... Args>
  Sequential& add_named(std::string name, Args&&... args) {
    append(std::move(name), make<M>(std::forward<Args>(args)...));
    return *this;
  }

  /// Makes a layer M(args…) in the place of layer i, or of the one of this name, and under its
  /// name: a new head for a trained network. Returns *this.
  ///   net.replace<nn::Linear>(2, 128, 100);
  /// The old layer is destroyed, with its parameters and hooks. An optimiser of its parameters
  /// throws in the next step, because it would not train the new ones: make a new one.
  /// Throws Error("sequential") if there is no such layer. Then, or if M(args…) throws, nothing has
  /// changed. As `net[2] = …` of a torch.nn.Sequential.
  template <class M, class... Args>
  Sequential& replace(int64_t i, Args&&... args) {
    (*this)[i];  // throws, if anything does, before the layer is made
    put(i, make<M>(std::forward<Args>(args)...));
    return *this;
  }
  template <class M, class... Args>
  Sequential& replace(std::string_view name, Args&&... args) {
    return replace<M>(index_of(name), std::forward<Args>(args)...);
  }

  int64_t size() const;
  /// Throws Error("sequential") unless 0 ≤ i < size().
  Module& operator[](int64_t i) const;

  Tensor forward(const Arg& x);

 private:
  template <class M, class... Args>
  static std::unique_ptr<M> make(Args&&... args) {
    static_assert(
        !std::derived_from<M, Layer<M>> ||
            requires(M & m, const Arg& x) {
              { m.forward(x) } -> std::convertible_to<Tensor>;
            },
        "Sequential calls its layers with one tensor: this one needs a public `Tensor "
        "forward(const Arg& x)`");
    return std::make_unique<M>(std::forward<Args>(args)...);
  }
  std::string next_name() const;
  int64_t index_of(std::string_view name) const;
  void append(std::string name, std::unique_ptr<Module> layer);
  void put(int64_t i, std::unique_ptr<Module> layer);

  std::vector<std::shared_ptr<Module>> layers_;  // shared with the call that runs one
};

/// A list of modules of one type, named "0", "1", …; how they are called is up to the owner.
///   nn::ModuleList<Block> h(12, C, H);      // twelve times Block(C, H)
///   for (Block& block : h) x = block(x);
/// As https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html
template <class M>
class ModuleList : public Module {
 public:
  ModuleList() = default;
  /// `count` modules, each made as M(args…).
  template <class... Args>
  explicit ModuleList(int64_t count, const Args&... args) {
    check(count >= 0, "module_list", count, " modules: use 0 or more");
    for (int64_t i = 0; i < count; ++i) emplace_back(args...);
  }

  /// Appends M(args…) and returns it.
  template <class... Args>
  M& emplace_back(Args&&... args) {
    auto module = std::make_unique<M>(std::forward<Args>(args)...);
    register_module(std::to_string(modules_.size()), *module);
    modules_.push_back(std::move(module));
    return *modules_.back();
  }

  int64_t size() const { return static_cast<int64_t>(modules_.size()); }
  /// Throws Error("module_list") unless 0 ≤ i < size().
  M& operator[](int64_t i) const {
    check(i >= 0 && i < size(), "module_list", "no module ", i, " among ", size());
    return *modules_[static_cast<size_t>(i)];
  }

  /// Iterates over the modules, not the pointers.
  class Iterator {
   public:
    explicit Iterator(const std::unique_ptr<M>* at) : at_(at) {}
    M& operator*() const { return **at_; }
    Iterator& operator++() { return ++at_, *this; }
    bool operator==(const Iterator& other) const = default;

   private:
    const std::unique_ptr<M>* at_;
  };
  Iterator begin() const { return Iterator(modules_.data()); }
  Iterator end() const { return Iterator(modules_.data() + modules_.size()); }

  std::string type_name() const override { return "ModuleList"; }

 private:
  std::vector<std::unique_ptr<M>> modules_;
};

/// Modules of any types by name; how they are called is up to the owner.
///   nn::ModuleDict heads;
///   heads.add<nn::Linear>("class", C, 10);
///   y = heads["class"].call(x);      // or heads.get<nn::Linear>("class")(x)
/// As https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html
class ModuleDict : public Module {
 public:
  /// Makes a module M(args…) under `name` and returns it.
  template <class M, class... Args>
  M& add(std::string name, Args&&... args) {
    auto module = std::make_unique<M>(std::forward<Args>(args)...);
    M& made = *module;
    append(std::move(name), std::move(module));
    return made;
  }

  int64_t size() const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// Throws Error("module_dict") if there is none of this name.
  Module& operator[](std::string_view name) const;
  /// The same, cast to its type M. Throws Error("module_dict") if it is not an M.
  template <class M>
  M& get(std::string_view name) const {
    Module& module = (*this)[name];
    M* cast = dynamic_cast<M*>(&module);
    check(cast != nullptr, "module_dict", "module '", name, "' is a ", module.type_name(),
          ", not a ", type_name_of<M>());
    return *cast;
  }

  /// Pairs of name and pointer, in the order of add().
  auto begin() const { return modules_.begin(); }
  auto end() const { return modules_.end(); }

  std::string type_name() const override;

 private:
  Module* find(std::string_view name) const;
  void append(std::string name, std::unique_ptr<Module> module);

  std::vector<std::pair<std::string, std::unique_ptr<Module>>> modules_;
};

}  // namespace tarsier::nn
