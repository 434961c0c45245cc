#include "zoo/music/roll.h"

#include <algorithm>

#include "autograd/base/error.h"
#include "zoo/report/draw.h"

namespace tarsier::zoo::music {

namespace {

constexpr double kWidth = 760, kLeft = 34, kRow = 6;
constexpr int64_t kColours = 6;  // classes s0 … s5 of the page

/// The geometry of a roll.
struct Roll {
  double step;        // the width of a step
  int32_t low, high;  // pitches

  double x(int64_t at) const { return kLeft + step * static_cast<double>(at); }
  double y(int32_t pitch) const { return kRow * (high - pitch + 1); }
  double height() const { return y(low) + kRow; }

  std::string line(double x1, double y1, double x2, double y2, const std::string& more) const {
    return "<line x1=\"" + px(x1) + "\" y1=\"" + px(y1) + "\" x2=\"" + px(x2) + "\" y2=\"" +
           px(y2) + "\" " + more;
  }
};

std::string grid(const Roll& roll, int64_t steps, int64_t bar) {
  std::string out;
  for (int64_t at = 0; at <= steps; at += bar) {
    out += roll.line(roll.x(at), kRow / 2, roll.x(at), roll.height(), "class=\"grid\"/>");
    if (at < steps)
      out += svg_text(roll.x(at) + 2, roll.height() + 12, std::to_string(at / bar + 1),
                      "class=\"muted\"");
  }
  for (int32_t c = (roll.low + 11) / 12 * 12; c <= roll.high; c += 12) {
    out += roll.line(kLeft, roll.y(c), roll.x(steps), roll.y(c), "class=\"grid\"/>");
    out += svg_text(kLeft - 6, roll.y(c) + 4, note_name(c), "class=\"muted end\"");
  }
  return out;
}

}  // namespace

Svg piano_roll(const Score& score, int64_t bar, int64_t given, const std::string& label) {
  const Range range({score}, score.voices);
  check(range.low() <= range.high(), "music", "a piece without a note cannot be drawn");
  const int64_t steps = score.steps();
  const Roll roll{(kWidth - kLeft) / static_cast<double>(steps), range.low() - 1, range.high() + 1};
  std::string out = grid(roll, steps, bar);
  for (int64_t v = 0; v < score.voices; ++v) {
    for (int64_t begin = 0, end = 0; begin < steps; begin = end) {
      const int32_t pitch = score.at(begin, v);
      // A note that reaches beyond what was given is drawn in two parts.
      while (end < steps && score.at(end, v) == pitch && (end == begin || end != given)) ++end;
      if (pitch == kSilence) continue;
      out += roll.line(roll.x(begin) + 0.5, roll.y(pitch), roll.x(end) - 0.5, roll.y(pitch),
                       concat("class=\"s", v % kColours, "\" stroke-width=\"5\"",
                              begin < given ? " opacity=\".4\"" : "", ">"));
      out += "<title>" + escape(note_name(pitch)) + "</title></line>";
    }
  }
  return svg_of(kWidth + 1, roll.height() + 18, "roll", label, out);
}

}  // namespace tarsier::zoo::music
