#include "zoo/report/curves.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "autograd/io/json.h"
#include "zoo/base/json_number.h"

namespace tarsier::zoo {

std::vector<Series> read_curves(std::string_view metrics_jsonl) {
  std::vector<Series> all;
  std::map<std::string, size_t> places;
  while (!metrics_jsonl.empty()) {
    const size_t end = std::min(metrics_jsonl.find('\n'), metrics_jsonl.size());
    const std::string_view line = metrics_jsonl.substr(0, end);
    metrics_jsonl.remove_prefix(std::min(end + 1, metrics_jsonl.size()));
    try {
      const Json json = Json::parse(line);
      const double step = json["step"].as_double();
      const auto add = [&](const std::string& name, const Json& value) {
        if (name == "step" || !is_json_number(value)) return;
        const auto [place, is_new] = places.try_emplace(name, all.size());
        if (is_new) all.push_back({.name = name});
        all[place->second].x.push_back(step);
        all[place->second].y.push_back(number_of(value));
      };
      for (const auto& [name, value] : json.as_object()) {
        add(name, value);
        if (!value.is_object()) continue;
        for (const auto& [part, number] : value.as_object()) add(concat(name, ":", part), number);
      }
    } catch (const Error&) {
      continue;
    }
  }
  return all;
}

Series smoothed(const Series& series, double width) {
  Series out{series.name, series.x, series.y, false};
  // As for Adam's moments: corrects the bias of the first means.
  const double keep = std::exp(-1 / width);
  double mean = 0, weight = 0;
  for (double& y : out.y) {
    mean = keep * mean + (1 - keep) * y;
    weight = keep * weight + (1 - keep);
    y = mean / weight;
  }
  return out;
}

}  // namespace tarsier::zoo
