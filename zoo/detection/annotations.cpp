#include "zoo/detection/annotations.h"

#include <cmath>
#include <filesystem>
#include <set>

#include "autograd/base/number.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/task/task.h"

namespace tarsier::zoo::detection {

namespace fs = std::filesystem;

namespace {

/// The pictures in the folders of those that are known, without these.
std::vector<std::string> other_pictures(const Parts<AnnotatedPicture>& parts) {
  std::set<std::string> folders, known;
  for (const auto* part : {&parts.train, &parts.val, &parts.test})
    for (const AnnotatedPicture& picture : *part) {
      const fs::path path = fs::path(picture.path).lexically_normal();
      folders.insert(path.parent_path().string());
      known.insert(path.string());
    }
  std::vector<std::string> out;
  for (const std::string& folder : folders)
    for (const std::string& name : names_in(folder.empty() ? "." : folder)) {
      const std::string path = (fs::path(folder) / name).string();
      if (names_a_picture(name) && !known.contains(path)) out.push_back(path);
    }
  return out;
}

}  // namespace

std::string picture_file(const std::string& folder, const std::string& name,
                         const std::string& place) {
  std::vector<std::string> below;
  for (const char* base : {"", "..", "../.."})
    for (const char* inside :
         {"", "images", "imgs", "JPEGImages", "train", "val", "valid", "test", "train2017",
          "val2017", "test2017", "images/train", "images/val", "images/test"})
      below.push_back((fs::path(base) / inside).string());
  const std::string found = find_file(folder, name, below, picture_endings());
  check(!found.empty(), "data", place, ": there is no picture '", beginning_of(name), "' in '",
        folder, "' or the one above, nor in their folders images, JPEGImages, train, val and test");
  return found;
}

double number_in(const std::string& text, const std::string& place, const std::string& what) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = parse_double(text.data(), end, value);
  check(error == std::errc() && stop == end && std::isfinite(value), "data", place, ": ", what,
        " is '", beginning_of(text), "': a number was expected");
  return value;
}

Parts<AnnotatedPicture> split_pictures(std::vector<AnnotatedPicture> all,
                                       const std::string& source) {
  check(all.size() >= 10, "data", source, " has ",
        counted(static_cast<int64_t>(all.size()), "picture"),
        ", too few to split off validation and test: give at least 10");
  return parts_of(std::move(all), kSplitKey);
}

Annotations read_annotations(const std::string& path) {
  std::error_code ignored;
  check(fs::exists(path, ignored), "data", "there is no '", path, "'");
  for (const auto read : {read_box_tables, read_coco, read_voc, read_yolo}) {
    Annotations found = read(path);
    if (found.format.empty()) continue;
    check(!found.parts.train.empty(), "data", "'", path, "' has no picture to train on");
    check(!found.parts.val.empty(), "data", "'", path, "' has nothing to validate with: name a ",
          "part val, or give all pictures as one");
    found.unlabelled = other_pictures(found.parts);
    return found;
  }
  fail("data", "'", path, "' holds no annotations of boxes: expected a table (train.tsv with ",
       "image, label, x1, y1, x2, y2), COCO's JSON, Pascal VOC's XML or YOLO's text files");
}

}  // namespace tarsier::zoo::detection
