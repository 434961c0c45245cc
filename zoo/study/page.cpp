#include "zoo/study/page.h"

#include <string_view>
#include <utility>
#include <vector>

#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/report/files.h"
#include "zoo/study/module.h"

namespace tarsier::study {

namespace {

constexpr std::string_view kFolder = "zoo/study/page/";
// The numbers take 8.5 MB at most, also of two recordings. So larger pages have many thousand nodes.
constexpr size_t kLargest = 20'000'000;

std::string megabytes(size_t bytes) {
  return concat(zoo::fixed(static_cast<double>(bytes) / 1e6, 1), " MB");
}

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
  page += rest;
  check(page.size() <= kLargest, "study", "the page would have ", megabytes(page.size()), ", and ",
        megabytes(kLargest), " is what a browser opens quickly: show one module (",
        "`tarsier study … --module PATH`, or only_module()), one of ",
        zoo::listed(module_paths(recording, 2)), ", or a shorter input (--tokens N)");
  return page;
}

}  // namespace tarsier::study
