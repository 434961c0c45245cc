#include "zoo/data/parallel.h"

#include <algorithm>
#include <filesystem>

#include "autograd/error.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

ParallelText read_parallel(const std::string& source_file, const std::string& target_file,
                           BlankPairs blanks) {
  std::vector<std::string> source = read_lines(source_file);
  std::vector<std::string> target = read_lines(target_file);
  check(source.size() == target.size(), "data", "'", source_file, "' has ", source.size(),
        " lines and '", target_file, "' has ", target.size(),
        ": line by line they must be translations of each other");
  ParallelText out;
  out.name = fs::path(source_file).stem().string();
  for (size_t i = 0; i < source.size(); ++i) {
    if (blanks == BlankPairs::leave_out && (is_blank(source[i]) || is_blank(target[i]))) {
      ++out.left_out;
    } else {
      out.source.push_back(std::move(source[i]));
      out.target.push_back(std::move(target[i]));
    }
  }
  check(out.size() > 0, "data", "in each of the ", out.left_out, " pairs of '", source_file,
        "' and '", target_file, "' a line is blank");
  return out;
}

namespace {

/// The names without ending of the test files of a language, sorted.
std::vector<std::string> test_names(const std::string& folder, const std::string& ending) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path file = it->path().filename();
    if (file.string().starts_with("test") && file.extension() == '.' + ending)
      names.push_back(file.stem().string());
  }
  check(!error, "data", "cannot read the folder '", folder, "': ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

ParallelFolder read_parallel_folder(const std::string& folder, const std::string& source,
                                    const std::string& target) {
  for (const std::string& language : {source, target})
    check(!language.empty() && language.find_first_of("./\\") == language.npos, "data",
          "the language is '", language, "', but must be the ending of files like 'de'");
  check(source != target, "data", "source and target are both '", source,
        "': a translation needs two languages");
  std::error_code ignored;
  check(fs::is_directory(folder, ignored), "data", "'", folder,
        "' is no folder: parallel text is a folder with train.", source, ", train.", target,
        ", val.", source, " and val.", target);
  const auto read = [&](const std::string& name, BlankPairs blanks) {
    std::string files[2] = {name + '.' + source, name + '.' + target};
    for (std::string& file : files) {
      const std::string path = (fs::path(folder) / file).string();
      if (!file_exists(path))
        fail("data", "there is no '", file, "' in '", folder, "', which holds ",
             describe_folder(folder));
      file = path;
    }
    return read_parallel(files[0], files[1], blanks);
  };
  ParallelFolder out;
  out.train = read("train", BlankPairs::leave_out);
  out.val = read("val", BlankPairs::leave_out);
  for (const std::string& name : test_names(folder, source))
    out.tests.push_back(read(name, BlankPairs::keep));
  return out;
}

}  // namespace tarsier::zoo
