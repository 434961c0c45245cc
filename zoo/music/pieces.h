#pragma once
// Pieces to learn from: files of notes on a grid, MIDI files, or chorales made by rules.

#include <string>
#include <vector>

#include "score.h"

namespace tarsier::zoo::music {

/// How a text file writes a step of time.
enum class Grid {
  parts,   ///< the pitch of each part, "74,70,65,58", −1 for none: sixteenths
  chords,  ///< the pitches that sound, in any order, "58,65,70,74", "-" for none: quarters
};

/// 4 or 1.
int64_t steps_per_beat(Grid grid);

struct PieceFiles {
  std::vector<Score> train = {}, val = {}, test = {};
  std::string source = "";  ///< what they are, for messages
  int64_t left_out = 0;     ///< pieces that have too many voices
  int64_t voices() const { return train.front().voices; }
};

/// A piece a line, its steps separated by blanks. A chord of n notes fills the voices from the
/// highest down, but its lowest note is always that of the lowest voice, so that the bass stays
/// the bass: of four voices, 60 67 72 are 72, 67, rest, 60. `voices` is the number of voices; 0:
/// as many as the largest step has. Throws Error("data") that names the line and the step.
std::vector<Score> read_grid(const std::string& text, const std::string& source, Grid grid,
                             int64_t voices);

/// A piece as read_grid() reads it: "74,70,65,58 74,70,65,58 …", rests included.
std::string grid_text(const Score& score);

/// The pieces at `path`:
///   a folder with …train.txt, …valid.txt (or val) and …test.txt of the given grid. If several
///   files end so, those whose names contain "16" (parts) or "quarter" (chords) count.
///   a folder of MIDI files (.mid, .midi, .kar), anywhere below it: those in train/, val/ (or
///   valid/) and test/ are of that part, of ten others 8 train, 1 validates and 1 tests. In files
///   with fewer voices than others the missing ones rest. A file that has more than twice as many
///   voices as nine of ten files need is left out: all others would be mostly rests, and slow
///   one text file, of whose pieces 8 of 10 train, 1 validates, 1 tests
/// Throws Error("data") if there is none, a file is damaged, or has more voices than those that
/// train.
PieceFiles read_pieces(const std::string& path, Grid grid);

/// 120 chorales for training, 15 for validation and 15 for the test, by rules (chorale.h).
PieceFiles generated_pieces(Grid grid);

}  // namespace tarsier::zoo::music
