#pragma once
// The names of the classes in config.json.

#include <string>
#include <vector>

#include "../../autograd/io/json.h"

namespace tarsier::zoo::hub {

class ClassNames {
 public:
  /// The names under "id2label" of a config.json, or LABEL_0, LABEL_1, … Throws Error("pretrained")
  /// for names of other ids than 0 … count − 1.
  ClassNames(const std::string& folder, int64_t count);

  const std::vector<std::string>& names() const { return names_; }
  /// The class that data name: by its name, or its number. Throws Error("data") with `place`.
  int64_t number_of(const std::string& label, const std::string& place) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace tarsier::zoo::hub
