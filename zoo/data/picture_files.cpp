#include "zoo/data/picture_files.h"

#include <algorithm>
#include <filesystem>

#include "autograd/base/error.h"
#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/splits.h"
#include "zoo/data/words.h"
#include "zoo/picture/read.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

const std::vector<std::string>& picture_endings() {
  static const std::vector<std::string> endings{".jpg", ".jpeg", ".png", ".bmp", ".ppm",
                                                ".pgm", ".webp", ".tif", ".tiff"};
  return endings;
}

bool names_a_picture(const std::string& path) {
  const std::string ending = to_lower(fs::path(path).extension().string());
  const std::vector<std::string>& endings = picture_endings();
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

namespace {

/// Adds the pictures below `folder`, which lies in the folders `above`.
void add_pictures(const fs::path& folder, std::vector<fs::path> above,
                  std::vector<std::string>& out) {
  std::error_code ignored;
  const fs::path real = fs::canonical(folder, ignored);
  if (std::find(above.begin(), above.end(), real) != above.end()) return;
  above.push_back(real);
  for (const std::string& name : names_in(folder.string())) {
    if (name.starts_with('.')) continue;
    const fs::path path = folder / name;
    if (fs::is_directory(path, ignored)) {
      add_pictures(path, above, out);
    } else if (names_a_picture(name)) {
      out.push_back(path.string());
    }
  }
}

}  // namespace

std::vector<std::string> pictures_below(const std::string& folder) {
  std::vector<std::string> out;
  add_pictures(folder, {}, out);
  return out;
}

Column image_column(const std::string& given) {
  return {.what = "image",
          .option = "--image ",
          .given = given,
          .names = {"image", "file", "path", "picture", "filename", "file_name", "image_path",
                    "img", "photo"}};
}

std::string picture_path(const std::string& folder, const std::string& name,
                         const std::string& place) {
  static const std::vector<std::string> kBelow = {
      "images", "train", "val", "test", "train2017", "val2017", "test2017", "train2014", "val2014"};
  check(!is_blank(name), "data", place, ": the picture's name is blank");
  std::string path = find_file(folder, name, kBelow, {});
  check(!path.empty(), "data", place, ": there is no file '", name, "' in '", folder,
        "', nor in its folders ", quoted_list(kBelow));
  return path;
}

Picture read_picture_at(const std::string& path, const std::string& place) {
  try {
    return read_picture(path);
  } catch (const Error& error) {
    fail("data", place, ": ", error.what());
  }
}

}  // namespace tarsier::zoo
