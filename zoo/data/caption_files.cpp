#include "zoo/data/caption_files.h"

#include <map>

#include "autograd/io/json.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

namespace {

std::vector<CaptionRow> read_table(const std::string& path, const CaptionColumns& columns,
                                   std::string* names) {
  const Column image{.what = "image",
                     .option = "--image ",
                     .given = columns.image,
                     .names = {"image", "file", "path", "picture", "filename", "file_name",
                               "image_path", "img", "photo"}};
  const Column caption{
      .what = "caption",
      .option = "--caption ",
      .given = columns.caption,
      .names = {"caption", "text", "sentence", "description", "title", "comment", "raw"}};
  const TwoColumns table = read_two_columns(path, image, caption, columns.header);
  if (names != nullptr) *names = table.columns;
  std::vector<CaptionRow> rows;
  for (const TwoColumns::Row& row : table.rows)
    rows.push_back({row.first, row.second, concat("'", path, "', line ", row.line)});
  return rows;
}

/// The member of an object, of the kind that `as` reads. `place` names the object.
template <class As>
decltype(auto) member(const Json& object, const char* name, As as, const std::string& place) {
  try {
    return (object[name].*as)();
  } catch (const Error&) {
    fail("data", place, ": it has no '", name, "', or of another kind than COCO's captions have");
  }
}

std::vector<CaptionRow> read_coco(const std::string& path) {
  const Json json = Json::parse(read_text_file(path), path);
  const std::string file = concat("'", path, "'");
  std::map<int64_t, std::string> names;
  int64_t number = 0;
  for (const Json& image : member(json, "images", &Json::as_array, file)) {
    const std::string place = concat(file, ", image ", ++number);
    const int64_t id = member(image, "id", &Json::as_int, place);
    const bool is_new =
        names.try_emplace(id, member(image, "file_name", &Json::as_string, place)).second;
    check(is_new, "data", place, ": another image has its id, ", id);
  }
  std::vector<CaptionRow> rows;
  number = 0;
  for (const Json& one : member(json, "annotations", &Json::as_array, file)) {
    const std::string place = concat(file, ", annotation ", ++number);
    const int64_t id = member(one, "image_id", &Json::as_int, place);
    const auto name = names.find(id);
    check(name != names.end(), "data", place, ": there is no image with the id ", id);
    rows.push_back({name->second, trimmed(member(one, "caption", &Json::as_string, place)), place});
  }
  return rows;
}

}  // namespace

std::vector<CaptionRow> read_caption_file(const std::string& path, const CaptionColumns& columns,
                                          std::string* names) {
  return path.ends_with(".json") ? read_coco(path) : read_table(path, columns, names);
}

}  // namespace tarsier::zoo
