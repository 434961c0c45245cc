#include "zoo/data/captions.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "zoo/base/format.h"
#include "zoo/data/fitted_pictures.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/scenes.h"
#include "zoo/data/splits.h"
#include "zoo/task/task.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

std::vector<std::vector<std::string>> CaptionPart::by_image() const {
  std::vector<std::vector<std::string>> out(static_cast<size_t>(images.size()));
  for (const Caption& caption : captions)
    out[static_cast<size_t>(caption.image)].push_back(caption.text);
  return out;
}

namespace {

/// The pictures of a part in one size, each read once.
class Pictures {
 public:
  explicit Pictures(PictureSize size) : fitted_({3, size.height, size.width}) {}

  /// The number of the picture in `path`. `place` names it, for errors.
  int64_t add(const std::string& path, const std::string& place) {
    const auto [entry, is_new] = numbers_.try_emplace(path, static_cast<int64_t>(numbers_.size()));
    if (is_new) fitted_.add(read_picture_at(path, place), 0);
    return entry->second;
  }

  /// All of them, and how many had another size.
  std::pair<Images, int64_t> all() { return fitted_.all(); }

 private:
  std::map<std::string, int64_t> numbers_;
  FittedPictures fitted_;
};

/// The pictures and captions that `rows` of the file `source` name; pictures are below `folder`.
CaptionPart loaded(const std::vector<CaptionRow>& rows, const std::string& source,
                   const std::string& folder, PictureSize size) {
  CaptionPart out;
  Pictures pictures(size);
  for (const CaptionRow& row : rows) {
    check(!is_blank(row.caption), "data", row.place, ": the caption is blank");
    const std::string path = picture_path(folder, row.image, row.place);
    const int64_t image = pictures.add(path, row.place);
    if (image == std::ssize(out.files)) out.files.push_back(path);
    out.captions.push_back({image, row.caption});
  }
  check(!out.captions.empty(), "data", "'", source, "' has no captions");
  std::tie(out.images, out.resized) = pictures.all();
  return out;
}

/// The folder that the pictures of the file at `path` are in or below.
std::string picture_folder(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.filename() == "annotations" ? folder.parent_path().string() : folder.string();
}

/// The JSON files of `folder`, sorted; none if it is no folder.
std::vector<std::string> json_files_in(const std::string& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return {};
  std::vector<std::string> out;
  for (const std::string& name : names_in(folder))
    if (name.ends_with(".json")) out.push_back((fs::path(folder) / name).string());
  return out;
}

/// The file of a part of one of these names, a table or COCO's JSON; "" if there is none.
std::string caption_file(const std::string& folder, const std::vector<std::string>& names) {
  const std::string table = table_in(folder, names);
  if (!table.empty()) return table;
  for (const std::string& below : {folder, (fs::path(folder) / "annotations").string()})
    for (const std::string& path : json_files_in(below))
      for (const std::string& name : names) {
        const std::string stem = fs::path(path).stem().string();
        if (stem == name || stem.starts_with("captions_" + name)) return path;
      }
  return "";
}

/// The pictures of a part that `chosen` has the numbers of, with their captions.
CaptionPart selected(const CaptionPart& all, const std::vector<int64_t>& chosen) {
  CaptionPart out;
  const auto captions = all.by_image();
  out.images = select(all.images, chosen, 0, std::ssize(chosen));
  out.resized = all.resized;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto image = static_cast<size_t>(chosen[i]);
    out.files.push_back(all.files[image]);
    for (const std::string& text : captions[image])
      out.captions.push_back({static_cast<int64_t>(i), text});
  }
  return out;
}

CaptionData split(const CaptionPart& all, const std::string& source) {
  check(all.images.size() >= 10, "data", "'", source, "' has ",
        counted(all.images.size(), "picture"),
        ", too few to split off validation and test: give at least 10");
  std::vector<int64_t> numbers(static_cast<size_t>(all.images.size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  const Parts<int64_t> parts = parts_of(std::move(numbers), kSplitKey);
  return {selected(all, parts.train), selected(all, parts.val), selected(all, parts.test)};
}

CaptionData read_parts(const std::string& folder, const CaptionColumns& columns, PictureSize size) {
  CaptionData out;
  for (const auto& [names, part] : {std::pair{&train_names(), &out.train},
                                    {&validation_names(), &out.val},
                                    {&test_names(), &out.test}}) {
    const std::string path = caption_file(folder, *names);
    check(!path.empty() || part != &out.val, "data",
          "there are no captions to validate with, 'val.tsv' or 'captions_val….json', in '", folder,
          "', which holds ", describe_folder(folder));
    if (path.empty()) continue;
    std::string* const header = part == &out.train ? &out.columns : nullptr;
    *part = loaded(read_caption_file(path, columns, header), path, picture_folder(path), size);
    size = {part->images.height, part->images.width};
  }
  return out;
}

}  // namespace

CaptionData read_captions(const std::string& path, const CaptionColumns& columns,
                          PictureSize size) {
  std::error_code ignored;
  std::string file = path;
  if (fs::is_directory(path, ignored)) {
    if (!caption_file(path, train_names()).empty()) return read_parts(path, columns, size);
    std::vector<std::string> files = tables_in(path);
    for (const std::string& json : json_files_in(path)) files.push_back(json);
    check(files.size() == 1, "data", "there is no 'train.tsv' or 'captions_train….json' in '", path,
          "', which holds ", describe_folder(path),
          "; expected it, or a single table of lines picture<TAB>caption");
    file = files.front();
  }
  std::string names;
  const std::vector<CaptionRow> rows = read_caption_file(file, columns, &names);
  CaptionData out = split(loaded(rows, file, picture_folder(file), size), file);
  out.columns = names;
  return out;
}

CaptionData scene_captions(PictureSize size, SceneCounts counts) {
  if (size.height == 0) size = {48, 48};
  CaptionData out;
  uint64_t stream = 0;
  for (const auto& [part, count] :
       {std::pair{&out.train, counts.train}, {&out.val, counts.val}, {&out.test, counts.test}}) {
    const RandomKey key{2027, ++stream};
    for (int64_t i = 0; i < count; ++i) {
      const Scene scene = draw_scene(
          key, static_cast<uint64_t>(i),
          {.height = size.height, .width = size.width, .max_objects = counts.max_objects});
      part->images.append(scene.picture, 0);
      part->files.push_back(concat("scene ", i + 1));
      part->captions.push_back({i, scene.caption});
    }
  }
  return out;
}

}  // namespace tarsier::zoo
