#pragma once
// Recordings and what is said in them.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../audio/wav.h"
#include "../data/table.h"

namespace tarsier::zoo::speech {

/// A recording with its text.
struct Utterance {
  std::string name;  ///< the file, for messages and the report
  std::string text;
  Sound sound;
};

/// The recordings of a split. `strings` are made of several files, one after the other.
struct Split {
  std::vector<Utterance> single, strings;
};

/// What a speech recogniser learns from.
struct SpeechData {
  Split train, val, test;    ///< test may be empty
  std::string columns = "";  ///< the names of the columns in the header, if any
};

/// Where file names and texts stand in a table.
struct SpeechColumns {
  std::string path = "", text = "";  ///< names in the header or numbers from 1; "" to detect them
  Header header = Header::automatic;
};

/// Reads tables of two columns (data/table.h), a WAV file and its text:
///   - a folder with train.tsv and val.tsv, and optionally test.tsv; next to each may be
///     strings-train.tsv and so on, whose first column (`parts`) has several file names between
///     commas: recordings that are joined without a gap;
///   - a folder with one table under another name, or the path of a table: it is split, in an order
///     drawn from a fixed key: of ten recordings 8 train, 1 validates, 1 tests.
/// Tables may also end in .csv, and val may be called valid, validation or dev. File names are
/// relative to the table's folder, or to its subfolders wav, wavs, audio and clips; or they are
/// absolute. They may lack ".wav", and have backslashes between folders.
/// Throws Error("data") with file and line for a file that is missing or cannot be read, a blank
/// text, and for fewer than 10 recordings in a table that is split.
SpeechData read_speech(const std::string& path, const SpeechColumns& columns);

/// Digits that the program speaks (audio/spoken_digits.h): 800 to train, 100 to validate, 200 to
/// test, each of another voice, and a quarter as many strings of three to five of them; always the
/// same.
SpeechData spoken_digits_data();

/// The sounds in a row, without a gap. All have the rate of the first. Throws Error("data") for
/// different rates.
Sound joined(const std::vector<const Sound*>& sounds);

}  // namespace tarsier::zoo::speech
