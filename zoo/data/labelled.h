#pragma once
// Labelled text: one example per line, a label and a text.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/base/random.h"
#include "../../autograd/io/json.h"
#include "../../autograd/tensor/tensor.h"
#include "../task/settings.h"
#include "table.h"

namespace tarsier::zoo {

/// One example as it is written in a file.
struct LabelledLine {
  std::string label, text;
  int64_t line = 0;  ///< where it begins, from 1
};

enum class FieldOrder { label_first, text_first };

/// Where label and text stand in a file.
struct LabelledColumns {
  FieldOrder order = FieldOrder::label_first;  ///< of two unnamed columns
  /// The names of the columns in the header, or their numbers from 1; "" to detect them.
  std::string text = "", label = "";
  Header header = Header::automatic;

  /// The options of a task that reads labelled texts.
  void add_to(Settings& settings);
};

/// The examples of a file.
struct LabelledFile {
  std::vector<LabelledLine> lines;  ///< not empty
  bool header = false;              ///< whether the first row named the columns
  std::string columns = "";         ///< the names of both: "'sentiment' and 'review'"
};

/// The examples of the UTF-8 file `path`: two of its columns, as data/table.h reads and finds them
/// (commas, semicolons or tabs; a header with names such as label, class, sentiment and text,
/// review, sentence). Blank lines are skipped. In a file that is not CSV and has two columns, label
/// and text, further tabs belong to the text.
///
/// White space around labels and texts is dropped. Throws Error("data") with the line number for a
/// line without a separator, with a blank label or text, with too many fields, or with an unclosed
/// quote; for columns that do not exist; and for a file without examples.
LabelledFile read_labelled(const std::string& path, const LabelledColumns& columns = {});

/// The names of the classes, sorted by their bytes; a class's number is its index.
class Labels {
 public:
  Labels() = default;
  /// The labels of the training data. Throws Error("data") for fewer than two, and for so many
  /// (more than half the number of lines) that labels and texts must have been swapped.
  Labels(const std::vector<LabelledLine>& train, const std::string& source);

  static Labels from_json(const Json& json);
  Json to_json() const;

  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  const std::string& operator[](int64_t index) const { return names_[static_cast<size_t>(index)]; }
  const std::vector<std::string>& names() const { return names_; }

  /// The number of every line's label. Throws Error("data") with `source`, line and label for a
  /// label that training has never seen.
  std::vector<int64_t> encode(const std::vector<LabelledLine>& lines,
                              const std::string& source) const;

  /// Converts `numbers` of `theirs` to the numbers of the same labels here. Throws Error("data")
  /// with `source` for a label that training has never seen.
  std::vector<int64_t> renumbered(std::vector<int64_t> numbers, const Labels& theirs,
                                  const std::string& source) const;

 private:
  std::vector<std::string> names_;
};

/// Texts and the numbers of their classes.
struct LabelledText {
  std::vector<std::string> texts;
  std::vector<int64_t> labels;
  int64_t size() const { return static_cast<int64_t>(texts.size()); }
};

/// The data of a classifier.
struct LabelledData {
  Labels labels;
  LabelledText train, val, test;  ///< test is empty in a folder without a test file
  std::string columns = "";       ///< their names in the header of the training data, if any
};

/// Reads a folder with train.tsv, val.tsv and optionally test.tsv (or .csv, each), or one file. One
/// file is split: of the lines of each label, in an order drawn from `key`, 8 of 10 train, 1
/// validates, 1 tests; the first of each label trains.
/// Throws Error("data") as read_labelled() and Labels do. With Header::automatic, also if the label
/// of the first line of the training data occurs nowhere else while most others do: it may be an
/// unrecognised header.
LabelledData read_labelled_data(const std::string& path, const LabelledColumns& columns,
                                RandomKey key);

/// Weights for a loss in which rare classes count as much as frequent ones:
/// wᵢ = n / (classes · nᵢ), (classes) f32, 1 on average over the examples.
/// Throws Error("data") for a class without examples.
/// Source: King and Zeng 2001, "Logistic regression in rare events data"; scikit-learn's
/// "balanced".
Tensor class_weights(const std::vector<int64_t>& labels, int64_t classes);

}  // namespace tarsier::zoo
