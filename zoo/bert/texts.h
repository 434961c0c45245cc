#pragma once
// The texts that BERT is pretrained on, and how they become rows of tokens.

#include <cstdint>
#include <string>
#include <vector>

#include "../data/labelled.h"
#include "../data/tokenizer.h"

namespace tarsier::zoo::bert {

/// What an example is: a line, or a window of the running text. By default lines of tables and
/// windows of other files.
enum class Examples { automatic, lines, windows };

/// The text of a file.
struct Document {
  std::string text = "";  ///< UTF-8; of a table: a line for each of its texts
  bool table = false;     ///< whether it was one
};

struct Documents {
  std::vector<Document> all;
  std::string columns = "";  ///< the names of a table's columns, if it has a header
};

/// Reads texts without their labels:
///   a folder with train.tsv or train.csv    the texts of its training part
///   a .tsv or .csv file                     the texts that the text classifier would train on
///   any other file                          its whole text
///   any other folder                        each of its files, sorted by name, as if given alone;
///                                           not hidden ones, not those of folders in it
/// So a classifier that starts from BERT validates and tests on texts that BERT has not seen.
/// `key` splits a single table, as in read_labelled_data(), whose errors are thrown; and
/// Error("data") for other bytes than UTF-8, an empty file, a folder without files.
Documents read_documents(const std::string& path, const LabelledColumns& columns, RandomKey key);

/// A part of a document: one line, or a running text.
struct Passage {
  std::string text;
  bool running = false;
};

struct Split {
  std::vector<Passage> train, validation;
};

/// Every tenth line that is not blank validates, or the last tenth of a running text.
Split split(const std::vector<Document>& documents, Examples examples);

/// Cuts passages into rows of at most `max_length` tokens: kBegin, then the tokens of a line, or of
/// a window of a running text, in which kEnd ends every line. The rest of a longer line is the next
/// row: nothing is lost. Rows without a known word, which have nothing to guess, are left out.
std::vector<std::vector<int32_t>> token_rows(const std::vector<Passage>& passages,
                                             const Tokenizer& tokenizer, int64_t max_length);

}  // namespace tarsier::zoo::bert
