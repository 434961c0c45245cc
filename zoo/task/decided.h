#pragma once
// Settings that another model decides, for a model that starts from it.

#include <string>
#include <utility>
#include <vector>

#include "../../autograd/io/json.h"
#include "settings.h"

namespace tarsier::zoo {

class Decided {
 public:
  /// Sets `values`, an object of names and values as config.json has them, and remembers them as
  /// `settings` gives them back.
  void apply(const Json& values, Settings& settings);
  /// Throws UsageError if one of them is no longer as apply() left it: it contradicts --from
  /// `folder`; `advice` says what to do.
  void check_unchanged(const Settings& settings, const std::string& folder,
                       const std::string& advice) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

}  // namespace tarsier::zoo
