#include "zoo/study/page.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "zoo/report/files.h"

namespace tarsier::study {

namespace {

constexpr std::string_view kFolder = "zoo/study/page/";

/// All files of the page's folder with this ending, one after another, in alphabetical order.
std::string joined(std::string_view ending) {
  std::string text;
  for (const zoo::EmbeddedFile& file : zoo::page_files())
    if (file.path.starts_with(kFolder) && file.path.ends_with(ending)) text.append(file.text);
  return text;
}

}  // namespace

std::string study_page(const Recording& recording, const Recording* against) {
  const PageData data = page_data(recording, against);
  const std::vector<std::pair<std::string, std::string>> parts = {
      {"/*STYLE*/", zoo::page_file("zoo/report/colors.css") + joined(".css")},
      {"/*DATA*/", data.json},
      {"/*NUMBERS*/", data.numbers},
      {"/*SCRIPT*/", joined(".js")}};
  // In the order of the template, so that no mark is looked for in what was put in.
  std::string page, rest = zoo::page_file(std::string(kFolder) + "index.html");
  for (const auto& [mark, what] : parts) {
    const size_t at = rest.find(mark);
    check(at != rest.npos, "study", "index.html lacks ", mark, " in its place");
    page.append(rest, 0, at).append(what);
    rest.erase(0, at + mark.size());
  }
  return page + rest;
}

double page_bytes(const Recording& recording) {
  double floats = 0;
  for (const RecordedTensor& tensor : recording.tensors)
    floats += static_cast<double>(std::min<int64_t>(tensor.values.numel(), 65'536));
  return floats * 4 * 4 / 3;
}

}  // namespace tarsier::study
