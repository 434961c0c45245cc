#include "zoo/picture/drawing.h"

#include <algorithm>
#include <string>

#include "zoo/data/unicode.h"

namespace tarsier::zoo {

namespace {

/// A character and its five rows from the top; each digit is three points, 4 the left one.
struct Glyph {
  char character;
  const char* rows;
};
constexpr Glyph kGlyphs[] = {
    {'A', "25755"}, {'B', "65656"}, {'C', "34443"}, {'D', "65556"}, {'E', "74647"}, {'F', "74644"},
    {'G', "34553"}, {'H', "55755"}, {'I', "72227"}, {'J', "11152"}, {'K', "55655"}, {'L', "44447"},
    {'M', "57755"}, {'N', "65555"}, {'O', "25552"}, {'P', "65644"}, {'Q', "25573"}, {'R', "65655"},
    {'S', "34216"}, {'T', "72222"}, {'U', "55557"}, {'V', "55522"}, {'W', "55775"}, {'X', "55255"},
    {'Y', "55222"}, {'Z', "71247"}, {'0', "75557"}, {'1', "26227"}, {'2', "71747"}, {'3', "71317"},
    {'4', "55711"}, {'5', "74717"}, {'6', "74757"}, {'7', "71122"}, {'8', "75757"}, {'9', "75717"},
    {'.', "00002"}, {',', "00024"}, {'-', "00700"}, {'_', "00007"}, {'%', "51245"}, {':', "02020"},
    {'/', "11244"}, {'(', "12221"}, {')', "42224"}, {'+', "02720"}, {'=', "07070"}, {'?', "61202"},
    {'!', "22202"}, {'#', "57575"}, {'*', "52725"}, {' ', "00000"}, {'&', "25253"}, {'\'', "22000"},
};

const char* rows_of(char32_t character) {
  if (character >= U'a' && character <= U'z') character -= U'a' - U'A';
  for (const Glyph& glyph : kGlyphs)
    if (static_cast<char32_t>(glyph.character) == character) return glyph.rows;
  return "77777";
}

/// As ITU-R BT.601 weighs the colours.
int brightness(Color color) { return (299 * color[0] + 587 * color[1] + 114 * color[2]) / 1000; }

/// Fills the pixels x1 … x2 − 1 and y1 … y2 − 1 that lie in the picture.
void fill(Picture& picture, int64_t x1, int64_t y1, int64_t x2, int64_t y2, Color color) {
  for (int64_t c = 0; c < picture.channels; ++c)
    for (int64_t y = std::max<int64_t>(0, y1); y < std::min(picture.height, y2); ++y)
      for (int64_t x = std::max<int64_t>(0, x1); x < std::min(picture.width, x2); ++x)
        picture.at(c, y, x) = picture.channels == 1 ? static_cast<uint8_t>(brightness(color))
                                                    : color[static_cast<size_t>(c)];
}

}  // namespace

Color color_of(int64_t number) {
  static constexpr std::array<Color, 24> kColors{
      {{228, 26, 28},  {30, 110, 230},  {20, 150, 50},   {230, 120, 0},  {150, 60, 200},
       {0, 150, 160},  {220, 40, 150},  {130, 90, 30},   {250, 190, 20}, {90, 60, 90},
       {100, 200, 60}, {110, 130, 250}, {240, 110, 120}, {30, 80, 100},  {170, 160, 0},
       {60, 200, 230}, {120, 20, 60},   {200, 140, 240}, {0, 90, 60},    {250, 150, 180},
       {70, 70, 200},  {160, 110, 80},  {100, 110, 60},  {190, 60, 20}}};
  return kColors[static_cast<size_t>(number) % kColors.size()];
}

void draw_frame(Picture& picture, int64_t x1, int64_t y1, int64_t x2, int64_t y2, Color color,
                int64_t thickness) {
  fill(picture, x1, y1, x2, std::min(y2, y1 + thickness), color);
  fill(picture, x1, std::max(y1, y2 - thickness), x2, y2, color);
  fill(picture, x1, y1, std::min(x2, x1 + thickness), y2, color);
  fill(picture, std::max(x1, x2 - thickness), y1, x2, y2, color);
}

TextSize text_size(std::string_view text, int64_t scale) {
  int64_t letters = 0;
  for (; !text.empty(); text.remove_prefix(next_character(text).bytes)) ++letters;
  return {7 * scale, (4 * letters + 1) * scale};
}

void draw_text(Picture& picture, int64_t x, int64_t y, std::string_view text, Color back,
               int64_t scale) {
  const auto [height, width] = text_size(text, scale);
  const Color ink = brightness(back) > 140 ? Color{0, 0, 0} : Color{255, 255, 255};
  fill(picture, x, y, x + width, y + height, back);
  for (int64_t left = x + scale; !text.empty(); left += 4 * scale) {
    const NextCharacter next = next_character(text);
    const char* rows = rows_of(next.character);
    for (int64_t r = 0; r < 5; ++r)
      for (int64_t c = 0; c < 3; ++c)
        if ((rows[r] - '0') >> (2 - c) & 1)
          fill(picture, left + c * scale, y + (r + 1) * scale, left + (c + 1) * scale,
               y + (r + 2) * scale, ink);
    text.remove_prefix(next.bytes);
  }
}

}  // namespace tarsier::zoo
