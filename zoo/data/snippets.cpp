#include "zoo/data/snippets.h"

#include <algorithm>
#include <map>
#include <string>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/sampler.h"

namespace tarsier::zoo {

namespace {

using Folders = std::map<std::string, std::vector<const EmbeddedFile*>>;

/// Whether a line tells which folder it is from.
bool gives_away(const std::string& line, const Folders& folders) {
  if (line.find("#include") != line.npos || line.find("namespace") != line.npos) return true;
  return std::any_of(folders.begin(), folders.end(), [&](const auto& folder) {
    return line.find(folder.first + '/') != line.npos;
  });
}

std::vector<std::string> snippets_of(const EmbeddedFile& file, int64_t lines,
                                     const Folders& folders) {
  std::vector<std::string> out;
  std::string snippet;
  int64_t count = 0;
  const auto finish = [&] {
    out.push_back(std::move(snippet));
    snippet.clear();
    count = 0;
  };
  for (const std::string& line : split_lines(file.text)) {
    if (is_blank(line) || is_decoration(line) || gives_away(line, folders)) continue;
    snippet += (count == 0 ? "" : "\n");
    snippet += line;
    if (++count == lines) finish();
  }
  if (count > 0 && 2 * count >= lines) finish();
  return out;
}

}  // namespace

LabelledData source_snippets(const std::vector<EmbeddedFile>& files, int64_t lines, RandomKey key) {
  check(lines >= 1, "data", "snippets of ", lines, " lines; at least 1 is needed");
  Folders folders;
  for (const EmbeddedFile& file : files) {
    const size_t slash = file.path.find('/');
    if (slash != file.path.npos) folders[std::string(file.path.substr(0, slash))].push_back(&file);
  }
  std::vector<LabelledLine> names;
  for (const auto& [folder, members] : folders) names.push_back({folder, "", 0});
  LabelledData out;
  out.labels = Labels(names, "the source text");

  int64_t label = 0;
  for (const auto& [folder, members] : folders) {
    const auto count = static_cast<int64_t>(members.size());
    const RandomKey order{key.seed, key.stream + static_cast<uint64_t>(label)};
    int64_t place = 0;
    for (int64_t i : permutation(count, order)) {
      const int64_t turn = count < 10 ? (count < 3 ? 0 : 10 - count + place) : place % 10;
      LabelledText& part = turn == 8 ? out.val : turn == 9 ? out.test : out.train;
      for (std::string& text : snippets_of(*members[static_cast<size_t>(i)], lines, folders)) {
        part.texts.push_back(std::move(text));
        part.labels.push_back(label);
      }
      ++place;
    }
    ++label;
  }
  return out;
}

}  // namespace tarsier::zoo
