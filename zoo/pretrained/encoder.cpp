#include "zoo/pretrained/encoder.h"

namespace tarsier::zoo {

namespace {

constexpr const char* kName = "pretrained";

}  // namespace

std::string renamed(std::string name, const std::vector<Renaming>& renamings) {
  for (const auto& [here, there] : renamings)
    if (const size_t at = name.find(here); at != name.npos) name.replace(at, here.size(), there);
  return name;
}

Source unpacked(const std::string& name, const QueryKeyValue& parts) {
  constexpr std::string_view kPacked = "in_proj_";
  const size_t at = name.find(kPacked);
  if (at == name.npos) return {{name}};
  Source source;
  for (const std::string_view part : parts)
    source.names.push_back(std::string(name).replace(at, kPacked.size(), part));
  return source;
}

int64_t rows_of(const Pretrained& file, std::string_view name) {
  const auto found = file.weights.find(name);
  check(found != file.weights.end() && found->second.stored->shape.size() == 2, kName,
        file.weights_path, " has no matrix '", name,
        "': does the model have another head, or none?");
  return found->second.stored->shape[0];
}

}  // namespace tarsier::zoo
