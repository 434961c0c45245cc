#pragma once
// Pictures and the boxes around their objects, as files say them: four formats, told from the files.

#include <string>
#include <vector>

#include "../boxes/box.h"
#include "../data/splits.h"

namespace tarsier::zoo::detection {

/// An object as a file says it.
struct Annotation {
  std::string label;
  Box box;                 ///< in pixels, or as shares of the picture's sides
  bool in_shares = false;  ///< the latter
  bool crowd = false;      ///< a group of objects in one box
  std::string place;       ///< "'train.tsv', line 3"
};

struct AnnotatedPicture {
  std::string path;
  std::vector<Annotation> objects;  ///< may be empty: a picture with nothing in it
};

struct Annotations {
  Parts<AnnotatedPicture> parts;   ///< train and val are not empty; test may be
  std::vector<std::string> names;  ///< of the classes in the files' order, if they have one
  std::string format;              ///< "a table", "COCO", "Pascal VOC", "YOLO"
  /// Pictures next to the others of which no file says anything: they are left out.
  std::vector<std::string> unlabelled;
};

/// Reads what is at `path`:
///   - a table with a row for each object, image, label, x1, y1, x2, y2, in pixels: a folder with
///     train.tsv and val.tsv, and optionally test.tsv; or one table, which is split by pictures.
///     Header and separators as in data/rows.h: usual names of the columns in any order, such as
///     filename, class, xmin, ymin, xmax, ymax; without a header image, label and numbers, or
///     image, numbers and label. A row with nothing but the image is a picture without objects;
///   - COCO's JSON: files with "images", "annotations" and "categories" in the folder, its folder
///     `annotations` or folders named after the parts; or one such file, which is split;
///   - Pascal VOC's XML: one for each picture, in the folder, in `Annotations` or in folders named
///     after the parts; parts as ImageSets/Main says, if it is there, otherwise split;
///   - YOLO's text files: lines of a class's number, centre x and y, width and height, as shares of
///     the sides; in folders `labels` next to `images`, or next to the pictures; parts are folders
///     or what data.yaml says; names from data.yaml, classes.txt or obj.names. A picture without a
///     text file has no objects.
/// Parts are called train, val (valid, validation, dev) and test. Pictures are looked for in the
/// folder of the annotations, the one above, and their folders images, imgs, JPEGImages, and those
/// named after the parts.
/// Throws Error("data") with file and line for anything else, for pictures that do not exist, and
/// for numbers that are none.
Annotations read_annotations(const std::string& path);

// ---- one for each format; empty parts if there are no such files at `path` ----

Annotations read_box_tables(const std::string& path);
Annotations read_coco(const std::string& path);
Annotations read_voc(const std::string& path);
Annotations read_yolo(const std::string& path);

/// The path of picture `name`, which `place` mentions, near `folder` (as read_annotations() says).
/// Throws Error("data") if there is none.
std::string picture_file(const std::string& folder, const std::string& name,
                         const std::string& place);

/// `text` as a number. Throws Error("data") with `place` and `what` ("x1") otherwise, and for
/// infinite ones.
double number_in(const std::string& text, const std::string& place, const std::string& what);

/// `all` as parts. Throws Error("data") with `source` for fewer than 10 pictures.
Parts<AnnotatedPicture> split_pictures(std::vector<AnnotatedPicture> all,
                                       const std::string& source);

}  // namespace tarsier::zoo::detection
