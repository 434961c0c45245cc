#include "zoo/data/xml.h"

#include <algorithm>
#include <charconv>

#include "autograd/base/error.h"
#include "zoo/data/rows.h"
#include "zoo/data/text.h"

namespace tarsier::zoo {

namespace {

constexpr int kDeepest = 100;

class XmlReader {
 public:
  XmlReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  XmlElement document() {
    skip_between();
    require(peek("<"), "an element was expected");
    XmlElement root = element(0);
    skip_between();
    require(at_ == text_.size(), "text follows the root element");
    return root;
  }

 private:
  bool peek(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void require(bool met, const char* what) const {
    if (met) return;
    fail("data", "'", source_, "', line ", line(), ": ", what);
  }
  int64_t line() const {
    const size_t end = std::min(at_, text_.size());
    return 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  }
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  /// Moves after the next `end`, and returns what comes before it.
  std::string_view take_until(std::string_view end, const char* what) {
    const size_t found = text_.find(end, at_);
    require(found != text_.npos, what);
    const std::string_view before = text_.substr(at_, found - at_);
    at_ = found + end.size();
    return before;
  }
  /// A comment or processing instruction, if one begins here.
  bool skip_remark() {
    if (peek("<!--")) {
      at_ += 4;
      take_until("-->", "a comment is not closed");
    } else if (peek("<?")) {
      take_until("?>", "a processing instruction is not closed");
    } else {
      return false;
    }
    return true;
  }
  void skip_between() {
    for (skip_space(); skip_remark() || skip_type(); skip_space()) {
    }
  }
  /// <!DOCTYPE …>, with brackets in it.
  bool skip_type() {
    if (!peek("<!DOCTYPE")) return false;
    for (int open = 0; at_ < text_.size();) {
      const char c = text_[at_++];
      open += c == '[' ? 1 : c == ']' ? -1 : 0;
      if (c == '>' && open <= 0) return true;
    }
    require(false, "the document type is not closed");
    return false;
  }

  std::string_view name() {
    const size_t begin = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '>' && text_[at_] != '/' &&
           text_[at_] != '<' && text_[at_] != '=')
      ++at_;
    require(at_ > begin, "a name was expected");
    return text_.substr(begin, at_ - begin);
  }
  /// name="value" …, up to the end of the tag. Whether the tag closes itself: <name/>.
  bool attributes() {
    for (;;) {
      skip_space();
      if (peek("/>")) return at_ += 2, true;
      if (peek(">")) return at_ += 1, false;
      name();
      skip_space();
      require(peek("="), "'=' and a value were expected after the name of an attribute");
      ++at_;
      skip_space();
      require(peek("\"") || peek("'"), "the value of an attribute stands in quotes");
      const std::string quote(1, text_[at_++]);
      take_until(quote, "a quote is not closed");
    }
  }

  XmlElement element(int depth) {
    require(depth < kDeepest, "elements are nested deeper than 100");
    const int64_t begins = line();
    ++at_;  // <
    XmlElement out{std::string(name()), "", begins};
    if (attributes()) return out;
    std::string text;
    for (;;) {
      require(at_ < text_.size(), "an element is not closed: the file is cut off");
      if (peek("</")) {
        at_ += 2;
        require(name() == out.name, "a closing tag has another name than the opening one");
        skip_space();
        require(peek(">"), "'>' was expected");
        ++at_;
        out.text = trimmed(text);
        return out;
      }
      if (peek("<![CDATA[")) {
        at_ += 9;
        text += take_until("]]>", "CDATA is not closed");
      } else if (peek("<")) {
        if (!skip_remark()) out.children.push_back(element(depth + 1));
      } else if (peek("&")) {
        text += entity();
      } else {
        text += text_[at_++];
      }
    }
  }

  std::string entity() {
    ++at_;  // &
    const std::string_view named = take_until(";", "an entity is not closed");
    for (const auto& [entity, character] : {std::pair<std::string_view, const char*>{"lt", "<"},
                                            {"gt", ">"},
                                            {"amp", "&"},
                                            {"quot", "\""},
                                            {"apos", "'"}})
      if (named == entity) return character;
    require(named.starts_with('#'), "an unknown entity");
    const bool hexadecimal = named.starts_with("#x");
    uint32_t code = 0;
    const char* begin = named.data() + (hexadecimal ? 2 : 1);
    const char* end = named.data() + named.size();
    const auto [stop, error] = std::from_chars(begin, end, code, hexadecimal ? 16 : 10);
    require(error == std::errc() && stop == end && code > 0 && code < 0x110000 &&
                (code < 0xD800 || code > 0xDFFF),
            "an entity that is no character");
    return encode_utf8(static_cast<char32_t>(code));
  }

  std::string_view text_;
  const std::string& source_;
  size_t at_ = 0;
};

}  // namespace

const XmlElement* XmlElement::find(std::string_view child) const {
  for (const XmlElement& one : children)
    if (one.name == child) return &one;
  return nullptr;
}

XmlElement parse_xml(std::string_view text, const std::string& source) {
  check_utf8(text, source);
  return XmlReader(text, source).document();
}

}  // namespace tarsier::zoo
