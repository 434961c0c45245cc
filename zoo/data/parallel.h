#pragma once
// Parallel text: the same sentences in two languages, line by line in two files, or in two columns
// of one file.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../../autograd/base/random.h"
#include "table.h"

namespace tarsier::zoo {

/// Sentence i of one language is the translation of sentence i of the other.
struct ParallelText {
  std::string name;  ///< "train", "val", "test2016"
  std::vector<std::string> source, target;
  int64_t left_out = 0;  ///< pairs skipped because one side was blank

  int64_t size() const { return static_cast<int64_t>(source.size()); }
};

/// What to do with pairs in which one side is blank.
enum class BlankPairs {
  leave_out,  ///< nothing can be learned from them
  keep,       ///< a score is over all lines of its test set
};

/// The lines of both files (read_lines). Throws Error("data") if their numbers differ, because then
/// translations stand next to the wrong sentences; and if no pair is left.
ParallelText read_parallel(const std::string& source_file, const std::string& target_file,
                           BlankPairs blanks);

/// The data of a translator.
struct ParallelFolder {
  ParallelText train, val;
  std::vector<ParallelText> tests;  ///< sorted by name; may be empty
  std::string columns = "";         ///< of tables with a header: "'de' and 'en'"; or how found
};

/// Reads train.SOURCE, train.TARGET, val.SOURCE, val.TARGET, and every test*.SOURCE with its
/// test*.TARGET. `source` and `target` are the files' endings: "de", "en". Blank pairs are left out
/// of train and val, and kept in the tests. If the first lines of a pair of files are these names
/// ("de", "en"), in any case, they are a header and skipped.
/// Throws Error("data") that names a missing file and those that are there.
ParallelFolder read_parallel_folder(const std::string& folder, const std::string& source,
                                    const std::string& target);

/// Source and target of each pair, split: in an order drawn from `key`, 8 of 10 train, 1 validates,
/// 1 tests. Throws Error("data") for fewer than 10; `source` says where they are from.
ParallelFolder split_pairs(const std::vector<std::pair<std::string, std::string>>& pairs,
                           const std::string& source, RandomKey key);

/// Which columns of a table, and which endings of files, are the two sides of pairs.
struct PairColumns {
  Column source, target;
  /// Of two columns without known names, that with the longer texts is the source.
  bool longer_is_source = false;
};

/// The columns of two languages. "source" and "target" stand for columns that are to be found.
PairColumns language_columns(const std::string& source, const std::string& target);

/// Reads a folder as above; or a folder with train, val and test*, each a table that ends in .tsv
/// or .csv; or one such table of any name, which is split by split_pairs().
///
/// Tables have the two sides in two columns, which data/table.h reads and finds: by the names in the
/// header ("de", "en"), or by numbers from 1. If they are not given and the header has no such names,
/// two columns are taken in this order, or by length. In a folder train decides for all files.
/// The endings of files are the given names, or the first usual ones of which there is a file.
/// Throws Error("data") as read_parallel_folder() and read_two_columns() do, and for too few pairs.
ParallelFolder read_parallel_data(const std::string& path, const PairColumns& columns,
                                  RandomKey key);
/// The same for two languages.
inline ParallelFolder read_parallel_data(const std::string& path, const std::string& source,
                                         const std::string& target, RandomKey key) {
  return read_parallel_data(path, language_columns(source, target), key);
}

}  // namespace tarsier::zoo
