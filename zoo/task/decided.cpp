#include "zoo/task/decided.h"

#include "zoo/base/usage_error.h"
#include "zoo/task/run_folder.h"

namespace tarsier::zoo {

void Decided::apply(const Json& values, Settings& settings) {
  RunConfig config;
  config.settings = values;
  config.apply_to(settings);
  for (const auto& [name, value] : values.as_object())
    values_.emplace_back(name, settings.get(name));
}

void Decided::check_unchanged(const Settings& settings, const std::string& folder,
                              const std::string& advice) const {
  for (const auto& [name, value] : values_)
    if (settings.get(name) != value)
      usage_fail("train", "--set ", name, "=", settings.get(name), " contradicts --from ", folder,
                 ", where ", name, " is ", value, ": ", advice);
}

}  // namespace tarsier::zoo
