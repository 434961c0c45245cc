#include "zoo/tokenizer_json/decoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "autograd/io/utf8.h"
#include "zoo/data/byte_characters.h"
#include "zoo/data/text.h"
#include "zoo/tokenizer_json/normalizer.h"

namespace tarsier::zoo::tokenizer_json {

namespace {

using Tokens = std::vector<std::string>;
using Step = std::function<Tokens(Tokens)>;

constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string fused(const Tokens& tokens) {
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

/// A step that changes each token on its own: f(token, its place).
template <class F>
Step each(const F& f) {
  return [f](Tokens tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = f(tokens[i], i);
    return tokens;
  };
}

Tokens byte_level(Tokens tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += bytes_of(token).value_or(token);
  return {lossy_utf8(bytes)};
}

Step word_piece(const Section& part) {
  const std::string prefix = part.text("prefix", "##");
  const bool cleanup = part.flag("cleanup", true);
  return each([=](std::string token, size_t place) {
    if (place > 0) token = !token.starts_with(prefix) ? " " + token : token.substr(prefix.size());
    if (!cleanup) return token;
    for (const auto& [from, to] :
         {std::pair{" .", "."}, std::pair{" ?", "?"}, std::pair{" !", "!"}, std::pair{" ,", ","},
          std::pair{" ' ", "'"}, std::pair{" n't", "n't"}, std::pair{" 'm", "'m"},
          std::pair{" do not", " don't"}, std::pair{" 's", "'s"}, std::pair{" 've", "'ve"},
          std::pair{" 're", "'re"}})
      token = replaced(token, from, to);
    return token;
  });
}

Step metaspace(const Section& part) {
  const std::string space = encode_utf8(part.character("replacement"));
  const bool prefix = part.has("prepend_scheme") ? part.text("prepend_scheme") != "never"
                                                 : part.flag("add_prefix_space", true);
  return each([=](const std::string& token, size_t place) {
    return replaced(token, space, place == 0 && prefix ? "" : " ");
  });
}

/// The byte of "<0x0A>".
std::optional<char> byte_of(const std::string& token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return {};
  int value = 0;
  for (const char c : token.substr(3, 2)) {
    const size_t digit = std::string_view("0123456789ABCDEFabcdef").find(c);
    if (digit == std::string_view::npos) return {};
    value = value * 16 + static_cast<int>(digit < 16 ? digit : digit - 6);
  }
  return static_cast<char>(value);
}

/// Neighbouring bytes become the text that they are, or a U+FFFD each.
Tokens byte_fallback(Tokens tokens) {
  Tokens out;
  std::string bytes;
  const auto flush = [&] {
    if (is_utf8(bytes)) {
      if (!bytes.empty()) out.push_back(bytes);
    } else {
      out.insert(out.end(), bytes.size(), kReplacement);
    }
    bytes.clear();
  };
  for (std::string& token : tokens) {
    if (const std::optional<char> byte = byte_of(token)) {
      bytes += *byte;
      continue;
    }
    flush();
    out.push_back(std::move(token));
  }
  flush();
  return out;
}

Step strip(const Section& part) {
  constexpr int64_t kMost = 1 << 20;
  const std::string content = encode_utf8(part.character("content"));
  const int64_t start = part.whole("start", 0, kMost), stop = part.whole("stop", 0, kMost);
  return each([=](std::string token, size_t) {
    for (int64_t i = 0; i < start && token.starts_with(content); ++i)
      token.erase(0, content.size());
    for (int64_t i = 0; i < stop && token.ends_with(content); ++i)
      token.resize(token.size() - content.size());
    return token;
  });
}

Step bpe(const Section& part) {
  const std::string suffix = part.text("suffix", "</w>");
  return [=](Tokens tokens) {
    for (size_t i = 0; i < tokens.size() && !suffix.empty(); ++i)
      tokens[i] = replaced(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
    return tokens;
  };
}

Step step_of(const Section& part) {
  const std::string type = part.type();
  if (type == "ByteLevel") return byte_level;
  if (type == "WordPiece") return word_piece(part);
  if (type == "Metaspace") return metaspace(part);
  if (type == "ByteFallback") return byte_fallback;
  if (type == "Fuse") return [](const Tokens& tokens) { return Tokens{fused(tokens)}; };
  if (type == "Strip") return strip(part);
  if (type == "BPEDecoder") return bpe(part);
  if (type == "Replace") {
    const std::string from = fixed_pattern(part), to = part.text("content");
    return each([=](const std::string& token, size_t) { return replaced(token, from, to); });
  }
  part.refuse("the decoder '" + type + "'");
}

/// Whether `part` begins a character of UTF-8 that it does not end.
bool is_beginning(std::string_view part) {
  const auto lead = static_cast<unsigned char>(part[0]);
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  return part.size() < bytes &&
         is_utf8(std::string(part) + std::string(bytes - part.size(), '\x80'));
}

}  // namespace

std::string lossy_utf8(std::string_view text) {
  std::string out;
  size_t bad = 0;
  while (!is_utf8(text, &bad)) {
    out.append(text.substr(0, bad)).append(kReplacement);
    text.remove_prefix(bad);
    size_t length = std::min<size_t>(3, text.size());
    while (length > 1 && !is_beginning(text.substr(0, length))) --length;
    text.remove_prefix(length);
  }
  return out.append(text);
}

Decoder::Decoder(const Section& file) {
  for (const Section& part : steps_of(file, "decoder", "decoders")) {
    steps_.push_back(step_of(part));
    is_byte_level_ = steps_.size() == 1 && part.type() == "ByteLevel";
  }
}

std::string Decoder::operator()(std::vector<std::string> tokens) const {
  if (steps_.empty())
    for (size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, 1, ' ');
  for (const Step& step : steps_) tokens = step(std::move(tokens));
  return fused(tokens);
}

}  // namespace tarsier::zoo::tokenizer_json
