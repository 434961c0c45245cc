// Boxes in Pascal VOC's XML files, one for each picture.
// Source: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc
#include <array>
#include <filesystem>
#include <map>

#include "zoo/data/lines.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"
#include "zoo/data/xml.h"
#include "zoo/detection/annotations.h"

namespace tarsier::zoo::detection {

namespace fs = std::filesystem;

namespace {

const XmlElement& child_of(const XmlElement& element, const char* name, const std::string& path) {
  const XmlElement* found = element.find(name);
  check(found != nullptr, "data", "'", path, "', line ", element.line, ": <", element.name,
        "> has no <", name, ">");
  return *found;
}

AnnotatedPicture read_voc_file(const std::string& path) {
  const XmlElement root = parse_xml(read_text_file(path), path);
  check(root.name == "annotation", "data", "'", path, "', line ", root.line, ": <", root.name,
        "> where Pascal VOC has <annotation>");
  const fs::path file(path);
  // The picture is named as the file; some tools leave a wrong <filename>.
  const XmlElement* given = root.find("filename");
  const std::string folder = file.parent_path().string(), stem = file.stem().string();
  std::string picture =
      given == nullptr ? "" : find_file(folder, given->text, {"../JPEGImages", "../images"}, {});
  if (picture.empty()) picture = picture_file(folder, stem, concat("'", path, "'"));
  AnnotatedPicture out{picture, {}};
  for (const XmlElement& object : root.children) {
    if (object.name != "object") continue;
    const std::string place = concat("'", path, "', line ", object.line);
    const XmlElement& box = child_of(object, "bndbox", path);
    std::array<double, 4> v{};
    size_t i = 0;
    for (const char* side : {"xmin", "ymin", "xmax", "ymax"})
      v[i++] = number_in(child_of(box, side, path).text, place, side);
    const std::string& label = child_of(object, "name", path).text;
    check(!label.empty(), "data", place, ": the <name> is blank");
    out.objects.push_back({label, {v[0], v[1], v[2], v[3]}, false, false, place});
  }
  return out;
}

/// The XML files in `folder`.
std::vector<std::string> xml_files(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return out;
  for (const std::string& name : names_in(folder.string()))
    if (to_lower(fs::path(name).extension().string()) == ".xml")
      out.push_back((folder / name).string());
  return out;
}

/// The part of `folder` that is named so: a folder of files, or of a folder Annotations.
std::vector<std::string> files_of_part(const fs::path& folder,
                                       const std::vector<std::string>& names) {
  for (const std::string& name : names)
    for (const fs::path& place : {folder / name, folder / name / "Annotations"})
      if (std::vector<std::string> files = xml_files(place); !files.empty()) return files;
  return {};
}

/// The names in the first column of ImageSets/Main/train.txt and others.
std::vector<std::string> listed_in_set(const fs::path& folder,
                                       const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const std::string list = (folder / "ImageSets" / "Main" / (name + ".txt")).string();
    if (!file_exists(list)) continue;
    for (const std::string& line : read_lines(list))
      if (!is_blank(line)) out.push_back(trimmed(line.substr(0, line.find_first_of(" \t"))));
    break;
  }
  return out;
}

std::vector<AnnotatedPicture> read_all(const std::vector<std::string>& files) {
  std::vector<AnnotatedPicture> out;
  for (const std::string& file : files) out.push_back(read_voc_file(file));
  return out;
}

}  // namespace

Annotations read_voc(const std::string& path) {
  Annotations out;
  const fs::path folder(path);
  if (const auto train = files_of_part(folder, train_names()); !train.empty()) {
    out.parts = {read_all(train), read_all(files_of_part(folder, validation_names())),
                 read_all(files_of_part(folder, test_names()))};
    out.format = "Pascal VOC";
    return out;
  }
  std::vector<std::string> files = xml_files(folder / "Annotations");
  if (files.empty()) files = xml_files(folder);
  if (files.empty()) return out;
  out.format = "Pascal VOC";
  const std::vector<std::string> train = listed_in_set(folder, train_names());
  if (train.empty()) {
    out.parts = split_pictures(read_all(files), concat("'", path, "'"));
    return out;
  }
  const fs::path at = fs::path(files.front()).parent_path();
  for (const auto& [names, part] : {std::pair{&train_names(), &out.parts.train},
                                    {&validation_names(), &out.parts.val},
                                    {&test_names(), &out.parts.test}})
    for (const std::string& name : listed_in_set(folder, *names)) {
      const std::string file = (at / (name + ".xml")).string();
      check(file_exists(file), "data", "ImageSets/Main of '", path, "' lists '", name, "', but '",
            file, "' does not exist");
      part->push_back(read_voc_file(file));
    }
  return out;
}

}  // namespace tarsier::zoo::detection
