#pragma once
// Parallel text: the same sentences in two languages, line by line in two files.

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier::zoo {

/// Sentence i of one language is the translation of sentence i of the other.
struct ParallelText {
  std::string name;  ///< "train", "val", "test2016"
  std::vector<std::string> source, target;
  int64_t left_out = 0;  ///< pairs that were not taken because a side was blank

  int64_t size() const { return static_cast<int64_t>(source.size()); }
};

/// What becomes of pairs in which a side has nothing but blanks.
enum class BlankPairs {
  leave_out,  ///< nothing can be learned from them
  keep,       ///< a score is over all lines of its test set
};

/// The lines of both files (read_lines). Throws Error("data") where their numbers differ, which
/// means that translations stand beside the wrong sentences; and where no pair is left.
ParallelText read_parallel(const std::string& source_file, const std::string& target_file,
                           BlankPairs blanks);

/// A folder of parallel text.
struct ParallelFolder {
  ParallelText train, val;
  std::vector<ParallelText> tests;  ///< sorted by name; may be empty
};

/// Reads train.SOURCE, train.TARGET, val.SOURCE, val.TARGET, and every test*.SOURCE with its
/// test*.TARGET. `source` and `target` are the files' endings: "de", "en". Blank pairs are left out
/// of train and val, and kept in the tests. Throws Error("data") that names a missing file and
/// those that are there.
ParallelFolder read_parallel_folder(const std::string& folder, const std::string& source,
                                    const std::string& target);

}  // namespace tarsier::zoo
