#pragma once
// Files that name pictures and their captions: tables, and COCO's JSON.

#include <string>
#include <vector>

#include "table.h"

namespace tarsier::zoo {

/// Where file names and captions stand in a table.
struct CaptionColumns {
  std::string image = "", caption = "";  ///< names in the header or numbers from 1; "": found
  Header header = Header::automatic;
};

/// A picture's file and one caption.
struct CaptionRow {
  std::string image, caption;  ///< without white space around them
  std::string place;           ///< "'train.tsv', line 7", for errors
};

/// The rows of a table (data/table.h), or of a file that ends in .json:
///   {"images": [{"id": 1, "file_name": "a.jpg"}, …],
///    "annotations": [{"image_id": 1, "caption": "a cat"}, …]}
/// with other members ignored; `names` gets the names of a table's columns, if given. Throws
/// Error("data") with file and line or number for other members, two images with one id, and an
/// annotation without its image; Error("json") for what is no JSON.
/// Source: https://cocodataset.org/#format-data
std::vector<CaptionRow> read_caption_file(const std::string& path, const CaptionColumns& columns,
                                          std::string* names);

}  // namespace tarsier::zoo
