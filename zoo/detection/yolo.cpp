// Boxes in YOLO's text files, one for each picture.
// Source: https://docs.ultralytics.com/datasets/detect
#include <array>
#include <charconv>
#include <filesystem>
#include <set>

#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/rows.h"
#include "zoo/data/words.h"
#include "zoo/detection/annotations.h"

namespace tarsier::zoo::detection {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return out;
  for (const std::string& name : names_in(folder.string()))
    if (names_a_picture(name)) out.push_back(folder / name);
  return out;
}

/// `folder` with its last part `images` replaced by `labels`; itself if it has none.
fs::path label_folder(const fs::path& folder) {
  std::vector<fs::path> parts(folder.begin(), folder.end());
  for (size_t i = parts.size(); i-- > 0;)
    if (parts[i] == "images") {
      parts[i] = "labels";
      fs::path out;
      for (const fs::path& part : parts) out /= part;
      return out;
    }
  return folder;
}

/// Text without quotes around it, and without a comment after it.
std::string bare(std::string text) {
  text = trimmed(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'')) {
    const size_t end = text.find(text.front(), 1);
    return text.substr(1, end == text.npos ? text.npos : end - 1);
  }
  return trimmed(text.substr(0, text.find(" #")));
}

/// The members of data.yaml that matter.
struct Description {
  std::string path, train, val, test;
  std::vector<std::string> names;
};

/// "[a, 'b']" → a, b
std::vector<std::string> inline_list(const std::string& text) {
  std::vector<std::string> out;
  const size_t begin = text.find('[') + 1, end = std::min(text.find(']'), text.size());
  for (size_t at = begin; at < end;) {
    const size_t next = std::min(text.find(',', at), end);
    if (const std::string name = bare(text.substr(at, next - at)); !name.empty())
      out.push_back(name);
    at = next + 1;
  }
  return out;
}

/// Reads `key: value` lines, and `names` as a list: in brackets, in lines "- a", or "0: a".
Description read_yaml(const std::string& file) {
  Description out;
  bool in_names = false;
  for (const std::string& line : read_lines(file)) {
    const std::string text = trimmed(line);
    if (text.empty() || text.starts_with('#')) continue;
    const size_t colon = text.find(':');
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (in_names && (indented || text.starts_with('-'))) {
      out.names.push_back(bare(text.starts_with('-') ? text.substr(1)
                               : colon == text.npos  ? text
                                                     : text.substr(colon + 1)));
      continue;
    }
    if (colon == text.npos) continue;
    const std::string key = trimmed(text.substr(0, colon)), value = text.substr(colon + 1);
    in_names = key == "names";
    if (in_names) out.names = inline_list(value);
    for (const auto& [name, member] : {std::pair{"path", &out.path},
                                       {"train", &out.train},
                                       {"val", &out.val},
                                       {"valid", &out.val},
                                       {"test", &out.test}})
      if (key == name) *member = bare(value);
  }
  return out;
}

/// The names of the classes, one a line.
std::vector<std::string> read_names(const fs::path& folder) {
  for (const char* name : {"classes.txt", "obj.names", "classes.names", "labels/classes.txt"})
    if (const fs::path file = folder / name; file_exists(file.string())) {
      std::vector<std::string> out;
      for (const std::string& line : read_lines(file.string()))
        if (!is_blank(line)) out.push_back(trimmed(line));
      return out;
    }
  return {};
}

/// The class's name and its box in a line. Without names, the number is the name.
Annotation read_line(const Fields& row, const std::string& file,
                     const std::vector<std::string>& names) {
  const std::string place = concat("'", file, "', line ", row.line);
  const std::vector<std::string>& fields = row.fields;
  check(fields.size() == 5, "data", place, " has ", fields.size(),
        " fields: expected 5, a class's number and the box's centre x, centre y, width and height");
  int64_t label = -1;
  const auto [stop, error] =
      std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), label);
  check(error == std::errc() && *stop == '\0' && label >= 0, "data", place, ": the class is '",
        beginning_of(fields[0]), "': a number from 0 was expected");
  check(names.empty() || label < std::ssize(names), "data", place, ": there is no class ", label,
        " among ", names.size(), " names, which count from 0");
  std::array<double, 4> v{};
  for (size_t i = 0; i < 4; ++i) {
    v[i] = number_in(fields[i + 1], place, "a number of the box");
    check(std::abs(v[i]) <= 10, "data", place, ": ", fields[i + 1],
          " is no share of the picture's ",
          "sides: YOLO's boxes are between 0 and 1, not in pixels");
  }
  return {names.empty() ? concat(label) : names[static_cast<size_t>(label)],
          {v[0] - v[2] / 2, v[1] - v[3] / 2, v[0] + v[2] / 2, v[1] + v[3] / 2},
          true,
          false,
          place};
}

/// The rows of blank-separated fields.
std::vector<Fields> rows_of(const std::string& file) {
  std::vector<Fields> out;
  int64_t number = 0;
  for (const std::string& line : read_lines(file)) {
    Fields row{{}, ++number};
    for (size_t at = line.find_first_not_of(" \t"); at < line.size();) {
      const size_t end = std::min(line.find_first_of(" \t", at), line.size());
      row.fields.push_back(line.substr(at, end - at));
      at = line.find_first_not_of(" \t", end);
    }
    if (!row.fields.empty()) out.push_back(std::move(row));
  }
  return out;
}

/// The pictures of a folder with what their text files say. `texts` counts these.
std::vector<AnnotatedPicture> read_folder(const fs::path& folder,
                                          const std::vector<std::string>& names, int64_t& texts) {
  const fs::path labels = label_folder(folder);
  std::vector<AnnotatedPicture> out;
  std::set<std::string> stems;
  for (const fs::path& picture : pictures_in(folder)) {
    AnnotatedPicture one{picture.string(), {}};
    stems.insert(picture.stem().string());
    const std::string file = (labels / picture.stem()).string() + ".txt";
    if (file_exists(file)) {
      ++texts;
      // An empty file is a picture with nothing in it; read_lines() refuses empty files.
      if (fs::file_size(file) > 0)
        for (const Fields& row : rows_of(file)) one.objects.push_back(read_line(row, file, names));
    }
    out.push_back(std::move(one));
  }
  std::error_code ignored;
  if (texts > 0 && labels != folder && fs::is_directory(labels, ignored))
    for (const std::string& name : names_in(labels.string()))
      check(fs::path(name).extension() != ".txt" || name == "classes.txt" ||
                stems.contains(fs::path(name).stem().string()),
            "data", "'", (labels / name).string(), "' labels a picture that is not in '",
            folder.string(), "'");
  return out;
}

/// The folder of a part: what data.yaml says, or one of the usual.
fs::path folder_of(const fs::path& root, const Description& description, const std::string& given,
                   const std::vector<std::string>& names) {
  if (!given.empty()) {
    std::string from_above = given;  // some tools write "../train/images" for "train/images"
    while (from_above.starts_with("../")) from_above = from_above.substr(3);
    for (const fs::path& place : {root / description.path / given, root / given, root / from_above})
      if (!pictures_in(place).empty()) return place;
    fail("data", "'", root.string(), "': data.yaml names '", given,
         "', which is no folder with pictures");
  }
  for (const std::string& name : names)
    for (const fs::path& place : {root / "images" / name, root / name / "images", root / name})
      if (!pictures_in(place).empty()) return place;
  return {};
}

}  // namespace

Annotations read_yolo(const std::string& path) {
  Annotations out;
  std::error_code ignored;
  fs::path root(path);
  Description description;
  if (!fs::is_directory(root, ignored)) {
    if (const std::string ending = to_lower(root.extension().string());
        ending != ".yaml" && ending != ".yml")
      return out;
    description = read_yaml(path);
    root = root.parent_path();
  } else {
    for (const char* name : {"data.yaml", "data.yml", "dataset.yaml"})
      if (const fs::path file = root / name;
          description.names.empty() && file_exists(file.string()))
        description = read_yaml(file.string());
  }
  out.names = description.names.empty() ? read_names(root) : description.names;
  int64_t texts = 0;
  const fs::path train = folder_of(root, description, description.train, train_names());
  if (!train.empty()) {
    out.parts.train = read_folder(train, out.names, texts);
    const fs::path val = folder_of(root, description, description.val, validation_names()),
                   test = folder_of(root, description, description.test, test_names());
    if (!val.empty()) out.parts.val = read_folder(val, out.names, texts);
    if (!test.empty()) out.parts.test = read_folder(test, out.names, texts);
  } else {
    const fs::path folder = pictures_in(root / "images").empty() ? root : root / "images";
    std::vector<AnnotatedPicture> all = read_folder(folder, out.names, texts);
    if (texts > 0) out.parts = split_pictures(std::move(all), concat("'", path, "'"));
  }
  if (texts > 0) out.format = "YOLO";
  return out;
}

}  // namespace tarsier::zoo::detection
