#include "zoo/data/caption_files.h"

#include "zoo/data/coco.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

namespace {

std::vector<CaptionRow> read_table(const std::string& path, const CaptionColumns& columns,
                                   std::string* names) {
  const Column caption{
      .what = "caption",
      .option = "--caption ",
      .given = columns.caption,
      .names = {"caption", "text", "sentence", "description", "title", "comment", "raw"}};
  const TwoColumns table =
      read_two_columns(path, image_column(columns.image), caption, columns.header);
  if (names != nullptr) *names = table.columns;
  std::vector<CaptionRow> rows;
  for (const TwoColumns::Row& row : table.rows)
    rows.push_back({row.first, row.second, concat("'", path, "', line ", row.line)});
  return rows;
}

std::vector<CaptionRow> read_coco(const std::string& path) {
  const Json json = Json::parse(read_text_file(path), path);
  const CocoObject file{&json, concat("'", path, "'")};
  const CocoImages images(file);
  std::vector<CaptionRow> rows;
  for (const CocoObject& one : file.objects("annotations", "annotation"))
    rows.push_back({images.file_name(images.of(one)), trimmed(one.text("caption")), one.place});
  return rows;
}

}  // namespace

std::vector<CaptionRow> read_caption_file(const std::string& path, const CaptionColumns& columns,
                                          std::string* names) {
  return path.ends_with(".json") ? read_coco(path) : read_table(path, columns, names);
}

}  // namespace tarsier::zoo
