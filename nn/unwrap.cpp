#include "nn/unwrap.h"

#include <algorithm>

namespace tarsier::nn {

namespace {

struct Wrapper {
  std::string_view part, name;
};
constexpr Wrapper kAnywhere[] = {
    {"_orig_mod.", "torch.compile"},
    {"_fsdp_wrapped_module.", "FullyShardedDataParallel"},
    {"_checkpoint_wrapped_module.", "checkpoint_wrapper"},
};
constexpr Wrapper kParallel = {"module.", "DataParallel or DistributedDataParallel"};

/// Where `part` begins in `name` as a part between dots, or npos.
size_t find_part(const std::string& name, std::string_view part) {
  size_t at = name.find(part);
  while (at != name.npos && at > 0 && name[at - 1] != '.') at = name.find(part, at + 1);
  return at;
}

bool all_begin_with(const std::vector<std::string>& names, std::string_view part) {
  return !names.empty() && std::ranges::all_of(names, [&](const std::string& name) {
    return name.starts_with(part) && name.size() > part.size();
  });
}

/// Unwraps the names and returns the wrappers.
std::vector<Wrapper> unwrap(std::vector<std::string>& names) {
  std::vector<Wrapper> found;
  for (const Wrapper& wrapper : kAnywhere) {
    bool any = false;
    for (std::string& name : names)
      for (size_t at; (at = find_part(name, wrapper.part)) != name.npos; any = true)
        name.erase(at, wrapper.part.size());
    if (any) found.push_back(wrapper);
  }
  while (all_begin_with(names, kParallel.part)) {
    for (std::string& name : names) name.erase(0, kParallel.part.size());
    found.push_back(kParallel);
  }
  return found;
}

std::vector<std::string> names_of(const TensorDict& state) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state) names.push_back(name);
  return names;
}

}  // namespace

std::vector<std::string> unwrapped(std::vector<std::string> names) {
  unwrap(names);
  return names;
}

TensorDict unwrapped(const TensorDict& state) {
  const std::vector<std::string> names = unwrapped(names_of(state));
  TensorDict out;
  for (size_t i = 0; const auto& [name, tensor] : state) out.add(names[i++], tensor);
  return out;
}

std::string wrapper_hint(const TensorDict& state) {
  std::vector<std::string> names = names_of(state);
  std::string text;
  for (const Wrapper& wrapper : unwrap(names))
    text += concat("\n  '", wrapper.part, "' in the names is from ", wrapper.name,
                   ": load nn::unwrapped(state)");
  return text;
}

}  // namespace tarsier::nn
