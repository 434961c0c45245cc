#pragma once
// Picture files with their classes: a folder for each class, or tables.

#include <string>
#include <vector>

#include "../task/settings.h"
#include "splits.h"
#include "table.h"

namespace tarsier::zoo {

/// A picture's file and the name of its class.
struct ClassedPicture {
  std::string path, label;
  std::string place;  ///< for errors: "'train.tsv', line 3"
};

struct ClassedPictures {
  Parts<ClassedPicture> parts;        ///< val and test may be empty
  std::vector<std::string> names;     ///< of the classes, sorted
  std::vector<std::string> left_out;  ///< pictures outside the folders of classes
  std::string columns;                ///< of a table with a header: "'image' and 'label'"
};

/// Where pictures and classes stand in a table.
struct ClassColumns {
  std::string image = "", label = "";  ///< names in the header or numbers from 1; "": found
  Header header = Header::automatic;

  void add_to(Settings& settings);
};

/// The pictures at `path`, with these names in parts train, val (valid, validation, dev) and test;
/// without parts, they are split by parts_by_label() with kSplitKey:
///   - folders PART/CLASS with pictures in or below them, or CLASS without parts. The folder's name
///     is the class, as torchvision's ImageFolder has it; names that begin with a dot are left out.
///     A folder `train` is a part if it has folders, otherwise a class;
///   - a table of pictures and classes (data/table.h): train.tsv and so on in the folder, or the path
///     of one, or a single one in a folder. Pictures are found as picture_path() says.
/// Throws Error("data") with file or line for a class without pictures, a class that only other
/// parts than train have, a single class, too few pictures to be split, and anything else.
ClassedPictures list_pictures(const std::string& path, const ClassColumns& columns = {});

/// Whether there is something at `path` that list_pictures() may read: a table, or folders with
/// pictures.
bool has_classed_pictures(const std::string& path);

}  // namespace tarsier::zoo
