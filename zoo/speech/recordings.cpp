#include "zoo/speech/recordings.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "zoo/audio/spoken_digits.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"
#include "zoo/data/splits.h"
#include "zoo/task/task.h"

namespace tarsier::zoo::speech {

namespace fs = std::filesystem;

Sound joined(const std::vector<const Sound*>& sounds) {
  Sound out{sounds.front()->rate, {}};
  for (const Sound* sound : sounds) {
    check(sound->rate == out.rate, "data", "recordings of ", out.rate, " and of ", sound->rate,
          " samples a second cannot be joined: resample them first");
    out.samples.insert(out.samples.end(), sound->samples.begin(), sound->samples.end());
  }
  return out;
}

namespace {

/// The WAV files of a folder, each read once.
class Files {
 public:
  explicit Files(const std::string& folder) : folder_(folder) {}

  /// The sound in the file of that name, which may lack ".wav", and have backslashes between
  /// folders. `place` is the file and line that name it, `hint` what else it may be, for errors.
  const Sound& find(const std::string& name, const std::string& place, const std::string& hint) {
    const auto found = sounds_.find(name);
    if (found != sounds_.end()) return found->second;
    const std::string path = find_file(folder_, name, {"wav", "wavs", "audio", "clips"}, {".wav"});
    if (!path.empty()) return sounds_[name] = read_wav(path);
    fail("data", place, ": there is no file '", name, "' in '", folder_,
         "', nor in its folders wav, wavs, audio and clips", hint);
  }

 private:
  std::string folder_;
  std::map<std::string, Sound> sounds_;
};

/// "a, b" → a and b.
std::vector<std::string> names_between_commas(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const size_t first = text.find_first_not_of(' ', begin);
    if (first < end)
      out.push_back(text.substr(first, text.find_last_not_of(' ', end - 1) + 1 - first));
    begin = end + 1;
  }
  return out;
}

/// The recordings of the table at `path`; with `parts`, each of several files.
std::vector<Utterance> read_table(const std::string& path, const SpeechColumns& columns, bool parts,
                                  Files& files, std::string* names = nullptr) {
  const Column file{.what = "recording",
                    .option = "--recording ",
                    .given = parts ? "" : columns.path,
                    .names = {"parts", "file", "path", "audio", "wav", "filename", "file_name",
                              "audio_path", "audio_filepath", "recording", "clip"}};
  const Column text{.what = "text",
                    .option = "--text ",
                    .given = columns.text,
                    .names = {"text", "sentence", "transcript", "transcription", "words", "label"}};
  const TwoColumns table = read_two_columns(path, file, text, columns.header);
  if (names != nullptr) *names = table.columns;
  std::vector<Utterance> out;
  for (const TwoColumns::Row& row : table.rows) {
    const std::string place = concat("'", path, "', line ", row.line);
    check(!row.first.empty() && !row.second.empty(), "data", place, ": the ",
          row.first.empty() ? "recording" : "text", " is blank; ", table.form, " was expected");
    const bool may_be_header = !table.header && columns.header == Header::automatic && out.empty();
    const std::string hint = may_be_header ? "; if this line names the columns: --header yes" : "";
    std::vector<const Sound*> sounds;
    for (const std::string& name : parts ? names_between_commas(row.first) : std::vector{row.first})
      sounds.push_back(&files.find(name, place, hint));
    check(!sounds.empty(), "data", place, ": there is no file name between the commas");
    out.push_back({row.first, row.second, joined(sounds)});
  }
  check(!out.empty(), "data", "'", path, "' has no recordings, which are lines of ", table.form);
  return out;
}

SpeechData split(std::vector<Utterance> all, const std::string& source) {
  check(all.size() >= 10, "data", source, " has ",
        counted(static_cast<int64_t>(all.size()), "recording"),
        ", too few to split off validation and test: give at least 10");
  Parts<Utterance> parts = parts_of(std::move(all), kSplitKey);
  SpeechData out;
  out.train.single = std::move(parts.train);
  out.val.single = std::move(parts.val);
  out.test.single = std::move(parts.test);
  return out;
}

SpeechData read_parts(const std::string& folder, const SpeechColumns& columns) {
  Files files(folder);
  SpeechData out;
  for (const auto& [names, part] : {std::pair{&train_names(), &out.train},
                                    {&validation_names(), &out.val},
                                    {&test_names(), &out.test}}) {
    const std::string single = table_in(folder, *names),
                      strings = table_in(folder, *names, "strings-");
    if (single.empty() && names == &validation_names())
      fail("data", "there is no 'val.tsv' or 'val.csv' in '", folder, "', which holds ",
           describe_folder(folder), ": give a table of recordings to validate with");
    if (!single.empty())
      part->single = read_table(single, columns, false, files,
                                names == &train_names() ? &out.columns : nullptr);
    if (!strings.empty()) part->strings = read_table(strings, columns, true, files);
  }
  return out;
}

}  // namespace

SpeechData read_speech(const std::string& path, const SpeechColumns& columns) {
  std::error_code ignored;
  std::string table = path;
  if (fs::is_directory(path, ignored)) {
    if (!table_in(path, train_names()).empty()) return read_parts(path, columns);
    const std::vector<std::string> tables = tables_in(path);
    check(tables.size() == 1, "data", "there is no 'train.tsv' or 'train.csv' in '", path,
          "', which holds ", describe_folder(path), "; expected it, or a single table of lines ",
          "WAV file<TAB>text");
    table = tables.front();
  }
  Files files(fs::path(table).parent_path().string());
  std::string names;
  std::vector<Utterance> all = read_table(table, columns, false, files, &names);
  SpeechData out = split(std::move(all), concat("'", table, "'"));
  out.columns = names;
  return out;
}

SpeechData spoken_digits_data() {
  SpeechData out;
  uint64_t stream = 0;
  for (const auto& [part, count] :
       {std::pair<Split*, int64_t>{&out.train, 800}, {&out.val, 100}, {&out.test, 200}}) {
    const RandomKey key{2026, ++stream}, choice{2026, 100 + stream};
    for (int64_t i = 0; i < count; ++i) {
      const std::string& word = digit_words()[static_cast<size_t>(i % 10)];
      part->single.push_back(
          {concat(word, " ", i / 10 + 1), word,
           speak_digit(static_cast<int>(i % 10), key, static_cast<uint64_t>(i))});
    }
    uint64_t drawn = 0;
    const auto below = [&](int64_t limit) {
      return static_cast<int64_t>(uniform<double>(choice, drawn++) * static_cast<double>(limit));
    };
    for (int64_t i = 0; i < count / 4; ++i) {
      std::vector<const Sound*> sounds;
      std::string text;
      for (int64_t left = 3 + below(3); left > 0; --left) {
        const Utterance& one = part->single[static_cast<size_t>(below(count))];
        sounds.push_back(&one.sound);
        text += (text.empty() ? "" : " ") + one.text;
      }
      part->strings.push_back({text, text, joined(sounds)});
    }
  }
  return out;
}

}  // namespace tarsier::zoo::speech
