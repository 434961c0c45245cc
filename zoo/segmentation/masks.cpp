#include "zoo/segmentation/masks.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "zoo/base/format.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/rows.h"
#include "zoo/task/task.h"

namespace tarsier::zoo::segmentation {

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kImages{"images", "imgs", "image", "JPEGImages"};
const std::vector<std::string> kMasks{"masks", "mask",        "labels",
                                      "label", "annotations", "SegmentationClass"};
/// What follows the name of a picture in that of its mask.
constexpr std::array kAfter{"-label", "-mask", "_label", "_mask", "_L"};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// The first of these folders that is in `folder`; "" if none is.
std::string folder_in(const fs::path& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (is_folder(folder / name)) return (folder / name).string();
  return "";
}

/// The paths of the pictures in a folder by their names without ending.
std::map<std::string, std::string> pictures_in(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const std::string& name : names_in(folder.string())) {
    if (!names_a_picture(name)) continue;
    const auto [other, is_new] =
        out.emplace(fs::path(name).stem().string(), (folder / name).string());
    check(is_new, "data", "'", other->second, "' and '", name,
          "' have the same name: a mask would belong to both");
  }
  return out;
}

/// Pictures and masks of the same names.
std::vector<MaskedFile> paired(const std::map<std::string, std::string>& pictures,
                               const std::map<std::string, std::string>& masks,
                               const std::string& source) {
  check(!pictures.empty(), "data", source, " has no pictures: expected PNG, JPEG, PPM, PGM or BMP");
  std::vector<MaskedFile> out;
  for (const auto& [name, path] : pictures) {
    const auto mask = masks.find(name);
    check(mask != masks.end(), "data", "'", path, "' has no mask: expected '", name,
          "-label.png' (or .pgm) next to it, or '", name, ".png' in a folder masks");
    out.push_back({path, mask->second});
  }
  for (const auto& [name, path] : masks)
    check(pictures.contains(name), "data", "'", path, "' is the mask of no picture: expected '",
          name, "' with the ending of a picture");
  return out;
}

/// Pictures with their masks next to them.
std::vector<MaskedFile> pairs_beside(const std::string& folder) {
  std::map<std::string, std::string> pictures, masks;
  for (const auto& [name, path] : pictures_in(folder)) {
    const auto after = std::find_if(kAfter.begin(), kAfter.end(), [&name = name](const char* end) {
      return name.ends_with(end);
    });
    if (after == kAfter.end())
      pictures[name] = path;
    else
      masks[name.substr(0, name.size() - std::string_view(*after).size())] = path;
  }
  return paired(pictures, masks, concat("'", folder, "'"));
}

std::vector<MaskedFile> pairs_of(const std::string& images, const std::string& masks) {
  return paired(pictures_in(images), pictures_in(masks), concat("'", images, "'"));
}

/// The pictures of a part, or of all: in `folder`, each next to its mask, or both in folders of it.
std::vector<MaskedFile> pairs_in(const std::string& folder) {
  const std::string images = folder_in(folder, kImages), masks = folder_in(folder, kMasks);
  if (!images.empty() && !masks.empty()) return pairs_of(images, masks);
  if (is_folder(folder + "annot")) return pairs_of(folder, folder + "annot");
  return pairs_beside(folder);
}

/// The pictures that a list of Pascal VOC names.
std::vector<MaskedFile> listed_in(const std::string& list, const fs::path& root) {
  const std::map<std::string, std::string> pictures = pictures_in(root / "JPEGImages"),
                                           masks = pictures_in(root / "SegmentationClass");
  std::vector<MaskedFile> out;
  int64_t line = 0;
  for (const std::string& text : read_lines(list)) {
    ++line;
    const std::string name = trimmed(text);
    if (name.empty()) continue;
    const auto found = [&](const std::map<std::string, std::string>& all, const char* where) {
      const auto place = all.find(name);
      check(place != all.end(), "data", "'", list, "', line ", line, ": there is no '",
            beginning_of(name), "' in ", where);
      return place->second;
    };
    out.push_back({found(pictures, "JPEGImages"), found(masks, "SegmentationClass")});
  }
  return out;
}

/// Each part as one of `names` of it is found by `part`, which gives "" for what there is not.
template <class Part, class Read>
void read_parts(Parts<MaskedFile>& parts, const Part& part, const Read& read) {
  for (const auto& [names, to] : {std::pair{&train_names(), &parts.train},
                                  {&validation_names(), &parts.val},
                                  {&test_names(), &parts.test}})
    for (const std::string& name : *names)
      if (to->empty() && part(name)) *to = read(name);
}

}  // namespace

MaskedFiles find_masks(const std::string& path) {
  check(is_folder(path), "data", "'", path, "' is no folder: expected one with pictures and masks");
  const fs::path root = path;
  MaskedFiles out;
  const fs::path lists = root / "ImageSets" / "Segmentation";
  const std::string images = folder_in(root, kImages), masks = folder_in(root, kMasks);
  const auto is_part = [](const std::string& folder) {
    return [folder](const std::string& name) { return is_folder(fs::path(folder) / name); };
  };
  if (is_folder(lists)) {
    const auto file = [&](const std::string& name) { return (lists / (name + ".txt")).string(); };
    read_parts(
        out.parts, [&](const std::string& name) { return file_exists(file(name)); },
        [&](const std::string& name) { return listed_in(file(name), root); });
    out.format = "Pascal VOC";
  } else if (is_folder(root / "train")) {
    read_parts(out.parts, is_part(path),
               [&](const std::string& name) { return pairs_in((root / name).string()); });
    out.format = "folders of pictures and masks";
  } else if (!images.empty() && !masks.empty() && is_folder(fs::path(images) / "train")) {
    read_parts(out.parts, is_part(images), [&](const std::string& name) {
      return pairs_of((fs::path(images) / name).string(), (fs::path(masks) / name).string());
    });
    out.format = "folders of pictures and masks";
  } else {
    std::vector<MaskedFile> all = pairs_in(path);
    check(all.size() >= 10, "data", "'", path, "' has ", counted(std::ssize(all), "picture"),
          ", too few to split off validation and test: give at least 10");
    out.parts = parts_of(std::move(all), kSplitKey);
    out.format = "a folder of pictures and masks";
  }
  check(!out.parts.train.empty(), "data", "'", path, "' has no picture to train on");
  check(!out.parts.val.empty(), "data", "'", path, "' has nothing to validate with: name a part ",
        "val, or give all pictures as one");
  if (const std::string names = (root / "classes.txt").string(); file_exists(names))
    for (const std::string& line : read_lines(names))
      if (!is_blank(line)) out.names.push_back(trimmed(line));
  return out;
}

}  // namespace tarsier::zoo::segmentation
