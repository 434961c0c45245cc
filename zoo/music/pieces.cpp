#include "zoo/music/pieces.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>

#include "autograd/base/error.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"
#include "zoo/data/sampler.h"
#include "zoo/data/text.h"
#include "zoo/data/words.h"
#include "zoo/music/chorale.h"
#include "zoo/music/midi_score.h"
#include "zoo/task/task.h"

namespace tarsier::zoo::music {

namespace fs = std::filesystem;

namespace {

/// The parts of `text` between separators; none of an empty text.
std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return parts;
}

/// The pitches of one step as written, −1 included. `where` names it in errors.
std::vector<int32_t> pitches_of(std::string_view step, const std::function<std::string()>& where) {
  std::vector<int32_t> pitches;
  if (step == "-") return pitches;
  for (const std::string_view number : parts_of(step, ',')) {
    int32_t pitch = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pitch);
    check(
        error == std::errc() && end == number.data() + number.size() && pitch >= -1 && pitch <= 127,
        "data", where(), " is '", beginning_of(std::string(step)),
        "', but must be MIDI pitches from 0 to 127 with commas between them, -1 for a rest");
    pitches.push_back(pitch);
  }
  return pitches;
}

}  // namespace

int64_t steps_per_beat(Grid grid) { return grid == Grid::parts ? 4 : 1; }

std::vector<Score> read_grid(const std::string& text, const std::string& source, Grid grid,
                             int64_t voices) {
  check_utf8(text, concat('\'', source, '\''));
  std::vector<std::vector<std::vector<int32_t>>> pieces;
  std::vector<std::string> lines = split_lines(text);
  const int64_t given = voices;
  for (size_t l = 0; l < lines.size(); ++l) {
    if (is_blank(lines[l])) continue;
    std::vector<std::vector<int32_t>>& piece = pieces.emplace_back();
    for (const std::string_view step : parts_of(lines[l], ' ')) {
      const auto where = [&] {
        return concat("'", source, "', line ", l + 1, ": step ", piece.size() + 1);
      };
      std::vector<int32_t> pitches = pitches_of(step, where);
      const auto size = static_cast<int64_t>(pitches.size());
      check(size <= 16 && (given == 0 || size <= given), "data", where(), " has ",
            counted(size, "note"), ", but there are at most ", given == 0 ? 16 : given, " voices");
      check(grid == Grid::chords || voices == 0 || size == voices, "data", where(), " has ",
            counted(size, "note"), ", but there are ", voices,
            " voices, and each needs a pitch or -1; chords are read with --set grid=chords");
      voices = std::max(voices, size);
      piece.push_back(std::move(pitches));
    }
  }
  check(voices > 0 && !pieces.empty(), "data", "'", source,
        "' has no notes: expected a piece a line");
  std::vector<Score> scores;
  for (auto& piece : pieces) {
    Score& score = scores.emplace_back(Score{.voices = voices});
    for (auto& step : piece) {
      if (grid == Grid::chords) step = voiced(std::move(step), voices);
      score.notes.insert(score.notes.end(), step.begin(), step.end());
    }
  }
  return scores;
}

std::string grid_text(const Score& score) {
  std::string text;
  for (int64_t i = 0; i < score.size(); ++i) {
    if (i > 0) text += i % score.voices == 0 ? ' ' : ',';
    text += std::to_string(score.notes[static_cast<size_t>(i)]);
  }
  return text;
}

namespace {

/// Of ten pieces 8 train, 1 validates and 1 tests.
PieceFiles split(std::vector<Score> all, const std::string& source) {
  const auto n = static_cast<int64_t>(all.size());
  check(n >= 3, "data", source, " has ", counted(n, "piece"),
        ": at least 3 are needed, to train, to validate and to test");
  PieceFiles out{.source = source};
  const int64_t part = std::max<int64_t>(1, n / 10);
  const std::vector<int64_t> order = permutation(n, kSplitKey);
  for (int64_t i = 0; i < n; ++i) {
    Score& score = all[static_cast<size_t>(order[static_cast<size_t>(i)])];
    (i < part ? out.val : i < 2 * part ? out.test : out.train).push_back(std::move(score));
  }
  return out;
}

/// The file of `folder` whose name ends with one of `endings`; "" if there is none.
std::string find_file(const std::string& folder, const std::vector<std::string>& endings,
                      Grid grid) {
  std::vector<std::string> found = names_in(folder);
  std::erase_if(found, [&](const std::string& name) {
    return std::none_of(endings.begin(), endings.end(),
                        [&](const std::string& ending) { return name.ends_with(ending); });
  });
  const std::string sign = grid == Grid::parts ? "16" : "quarter";
  if (found.size() > 1)
    std::erase_if(found, [&](const std::string& name) { return name.find(sign) == name.npos; });
  check(found.size() <= 1, "data", "'", folder, "' has ", found.size(), " files that end in '",
        endings[0], "' and contain '", sign, "': leave one");
  return found.empty() ? "" : (fs::path(folder) / found[0]).string();
}

/// What sounds at every beat of a piece in sixteenths, as chords.
Score quarters_of(const Score& score) {
  Score out{.voices = score.voices};
  for (int64_t step = 0; step < score.steps(); step += steps_per_beat(Grid::parts)) {
    std::vector<int32_t> chord;
    for (int64_t v = 0; v < score.voices; ++v) chord.push_back(score.at(step, v));
    chord = voiced(std::move(chord), score.voices);
    out.notes.insert(out.notes.end(), chord.begin(), chord.end());
  }
  return out;
}

bool is_midi(const fs::path& file) {
  const std::string ending = to_lower(file.extension().string());
  return ending == ".mid" || ending == ".midi" || ending == ".kar";
}

/// The MIDI files anywhere below `folder`, sorted. Links to folders are not followed: they may lead
/// in circles.
std::vector<fs::path> midi_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const std::string& name : names_in(folder.string())) {
    const fs::path path = folder / name;
    std::error_code ignored;
    if (fs::symlink_status(path, ignored).type() == fs::file_type::directory) {
      const std::vector<fs::path> more = midi_files(path);
      files.insert(files.end(), more.begin(), more.end());
    } else if (fs::is_regular_file(path, ignored) && is_midi(path)) {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The same piece with more voices: the new ones rest, above the lowest.
Score widened(const Score& score, int64_t voices) {
  Score wide{.voices = voices};
  for (int64_t step = 0; step < score.steps(); ++step) {
    for (int64_t v = 0; v + 1 < score.voices; ++v) wide.notes.push_back(score.at(step, v));
    wide.notes.insert(wide.notes.end(), static_cast<size_t>(voices - score.voices), kSilence);
    wide.notes.push_back(score.at(step, score.voices - 1));
  }
  return wide;
}

/// The most voices that a piece may have: twice as many as nine of ten pieces need.
int64_t most_voices(const std::vector<Score>& pieces) {
  std::vector<int64_t> voices;
  for (const Score& score : pieces) voices.push_back(score.voices);
  std::sort(voices.begin(), voices.end());
  return 2 * voices[(9 * voices.size() + 9) / 10 - 1];
}

PieceFiles read_midi_folder(const std::string& folder, const std::vector<fs::path>& files,
                            Grid grid) {
  std::vector<Score> all;
  PieceFiles out{.source = "'" + folder + "'"};
  for (const fs::path& file : files)
    all.push_back(score_of(read_midi(file.string()), steps_per_beat(grid), file.string()));
  const int64_t most = most_voices(all);
  int64_t voices = 0;
  for (const Score& score : all)
    if (score.voices <= most) voices = std::max(voices, score.voices);
  std::vector<Score> rest;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].voices > most) {
      ++out.left_out;
      continue;
    }
    if (all[i].voices < voices) all[i] = widened(all[i], voices);
    const std::string part = files[i].lexically_relative(folder).begin()->string();
    (part == "train"                    ? out.train
     : part == "val" || part == "valid" ? out.val
     : part == "test"                   ? out.test
                                        : rest)
        .push_back(std::move(all[i]));
  }
  if (!rest.empty()) {
    PieceFiles more = split(std::move(rest), out.source);
    for (auto [to, from] :
         {std::pair{&out.train, &more.train}, {&out.val, &more.val}, {&out.test, &more.test}})
      to->insert(to->end(), from->begin(), from->end());
  }
  check(!out.train.empty() && !out.val.empty() && !out.test.empty(), "data", out.source, " has ",
        out.train.size(), " MIDI files to train, ", out.val.size(), " to validate and ",
        out.test.size(), " to test: each part needs one");
  return out;
}

}  // namespace

PieceFiles read_pieces(const std::string& path, Grid grid) {
  const std::string name = "'" + path + "'";
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    const std::string text = read_text_file(path);
    check(!text.starts_with("MThd"), "data", name,
          " is a MIDI file, which holds one piece: give a folder of such files");
    return split(read_grid(text, path, grid, 0), name);
  }
  PieceFiles out{.source = name};
  const std::string train = find_file(path, {"train.txt"}, grid);
  const std::vector<fs::path> midi = train.empty() ? midi_files(path) : std::vector<fs::path>();
  if (!midi.empty()) return read_midi_folder(path, midi, grid);
  check(!train.empty(), "data", name, " holds ", describe_folder(path),
        ": expected files that end in train.txt, valid.txt and test.txt, or MIDI files");
  out.train = read_grid(read_text_file(train), train, grid, 0);
  const auto read = [&](const std::vector<std::string>& endings) {
    const std::string file = find_file(path, endings, grid);
    check(!file.empty(), "data", name, " has '", fs::path(train).filename().string(),
          "', but no file that ends in ", endings[0]);
    return read_grid(read_text_file(file), file, grid, out.voices());
  };
  out.val = read({"valid.txt", "val.txt"});
  out.test = read({"test.txt"});
  return out;
}

PieceFiles generated_pieces(Grid grid) {
  PieceFiles out{.source = "chorales made by rules"};
  constexpr uint64_t kTrain = 120, kOther = 15;
  for (uint64_t i = 0; i < kTrain + 2 * kOther; ++i) {
    Score score = chorale({kSplitKey.seed, i});
    if (grid == Grid::chords) score = quarters_of(score);
    (i < kTrain ? out.train : i < kTrain + kOther ? out.val : out.test).push_back(std::move(score));
  }
  return out;
}

}  // namespace tarsier::zoo::music
