#include "zoo/hub/class_names.h"

#include <algorithm>
#include <optional>

#include "autograd/base/number.h"
#include "autograd/io/file.h"
#include "zoo/base/usage_error.h"

namespace tarsier::zoo::hub {

ClassNames::ClassNames(const std::string& folder, int64_t count) {
  const std::string path = folder + "/config.json";
  const Json config = Json::parse(read_file(path), path);
  for (int64_t i = 0; i < count; ++i) names_.push_back(concat("LABEL_", i));
  const Json* names = config.find("id2label");
  if (names == nullptr || names->is_null()) return;
  check(names->is_object() && std::ssize(names->as_object()) == count, "pretrained", path,
        ": 'id2label' should name the ", count, " classes of the weights");
  for (int64_t i = 0; i < count; ++i) {
    const Json* name = names->find(std::to_string(i));
    check(name != nullptr && name->is_string(), "pretrained", path, ": 'id2label' lacks the class ",
          i);
    names_[static_cast<size_t>(i)] = name->as_string();
  }
}

int64_t ClassNames::number_of(const std::string& label, const std::string& place) const {
  const auto found = std::find(names_.begin(), names_.end(), label);
  if (found != names_.end()) return found - names_.begin();
  for (size_t i = 0; i < names_.size(); ++i)
    if (label == std::to_string(i)) return static_cast<int64_t>(i);
  const std::vector<std::string> first(names_.begin(),
                                       names_.begin() + std::min<int64_t>(10, std::ssize(names_)));
  fail("data", place, ": the model has no class '", label, "': its classes are ", listed(first),
       std::ssize(names_) > 10 ? ", …" : "", ", or their numbers from 0");
}

}  // namespace tarsier::zoo::hub
