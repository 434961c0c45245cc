#pragma once
// Picture files in folders and in tables.

#include <string>
#include <vector>

#include "../picture/picture.h"
#include "table.h"

namespace tarsier::zoo {

/// ".jpg", ".png" and so on, in lower case, the likeliest first: what read_picture() reads, and
/// formats that it refuses with a word on how to convert them.
const std::vector<std::string>& picture_endings();

/// Whether the name ends like a picture's, in any case.
bool names_a_picture(const std::string& path);

/// The paths of the pictures in `folder` and in all folders below it, in the order of their names.
/// Those whose names begin with a dot are left out; a link to a folder that it lies in is not
/// followed. Throws Error("data") if it is not a folder, or cannot be read.
std::vector<std::string> pictures_below(const std::string& folder);

/// The column of a table that names pictures; `given` as in Column.
Column image_column(const std::string& given);

/// The path of the picture `name` in `folder`, or in one of its folders images, train, val, test,
/// train2017 and so on. Throws Error("data") with `place` if there is none, or the name is blank.
std::string picture_path(const std::string& folder, const std::string& name,
                         const std::string& place);

/// The picture in the file `path`, with `place` before the text of errors.
Picture read_picture_at(const std::string& path, const std::string& place);

}  // namespace tarsier::zoo
