#include "autograd/io/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "autograd/base/number.h"
#include "autograd/io/utf8.h"

namespace tarsier {

namespace {

// ----------------------------------------------------------------------------------------- parsing

constexpr int kMaxDepth = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Recursive descent: one function per kind of value.
class Parser {
 public:
  Parser(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Json parse() {
    if (size_t bad = 0; !is_utf8(text_, &bad)) fail_at(bad, "invalid UTF-8");
    Json value = parse_value(0);
    skip_space();
    if (at_ < text_.size()) fail_at(at_, "expected the end, found ", found());
    return value;
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail_at(size_t at, const Parts&... parts) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<int64_t>(at), '\n');
    fail("json", source_, " line ", line, ", byte ", at, ": ", parts...);
  }

  /// The character at the current position, for messages.
  std::string found() const {
    if (at_ >= text_.size()) return "the end of the text";
    const char c = text_[at_];
    if (c > ' ' && c < 127) return concat("'", c, "'");
    return concat("byte ", static_cast<int>(static_cast<unsigned char>(c)));
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
      ++at_;
  }

  /// Skips `c` if it comes next.
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c, const char* after) {
    skip_space();
    if (!take(c)) fail_at(at_, "expected '", c, "' ", after, ", found ", found());
  }

  Json parse_value(int depth) {
    if (depth > kMaxDepth) fail_at(at_, "nested deeper than ", kMaxDepth);
    skip_space();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '{') return parse_object(depth);
    if (c == '[') return parse_array(depth);
    if (c == '"') return Json(parse_string());
    if (c == '-' || is_digit(c)) return parse_number();
    if (take_word("true")) return Json(true);
    if (take_word("false")) return Json(false);
    if (take_word("null")) return Json();
    fail_at(at_, "expected a value, found ", found());
  }

  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json parse_object(int depth) {
    const size_t start = at_++;
    Json::Object members;
    skip_space();
    if (take('}')) return Json(std::move(members));
    do {
      skip_space();
      if (at_ >= text_.size() || text_[at_] != '"')
        fail_at(at_, "expected a key in double quotes, found ", found());
      std::string key = parse_string();
      expect(':', "after the key");
      members.emplace_back(std::move(key), parse_value(depth + 1));
      skip_space();
    } while (take(','));
    expect('}', "or ',' after a member");
    check_keys(members, start);
    return Json(std::move(members));
  }

  void check_keys(const Json::Object& members, size_t start) const {
    std::vector<std::string_view> keys;
    for (const Json::Member& member : members) keys.push_back(member.first);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end())
      fail_at(start, "the object that begins here has the key '", *twice, "' twice");
  }

  Json parse_array(int depth) {
    ++at_;
    Json::Array items;
    skip_space();
    if (take(']')) return Json(std::move(items));
    do {
      items.push_back(parse_value(depth + 1));
      skip_space();
    } while (take(','));
    expect(']', "or ',' after an item");
    return Json(std::move(items));
  }

  std::string parse_string() {
    const size_t start = at_++;
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) fail_at(start, "the string that begins here does not end");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20)
        fail_at(at_, "a control character in a string must be escaped, found ", found());
      ++at_;
      if (c == '"') return out;
      if (c == '\\') {
        parse_escape(out);
      } else {
        out.push_back(c);
      }
    }
  }

  void parse_escape(std::string& out) {
    const size_t start = at_ - 1;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out.push_back(c);
        return;
      case 'b':
        out.push_back('\b');
        return;
      case 'f':
        out.push_back('\f');
        return;
      case 'n':
        out.push_back('\n');
        return;
      case 'r':
        out.push_back('\r');
        return;
      case 't':
        out.push_back('\t');
        return;
      case 'u':
        break;
      default:
        fail_at(start, "unknown escape after '\\'");
    }
    uint32_t code = parse_hex4(start);
    if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair (UTF-16)
      if (!take('\\') || !take('u')) fail_at(start, "half of a surrogate pair");
      const uint32_t low = parse_hex4(start);
      if (low < 0xDC00 || low >= 0xE000) fail_at(start, "half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      fail_at(start, "half of a surrogate pair");
    }
    append_utf8(out, code);
  }

  uint32_t parse_hex4(size_t start) {
    uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (error != std::errc() || end != digits.data() + 4)
      fail_at(start, "\\u needs four hexadecimal digits");
    at_ += 4;
    return code;
  }

  void skip_digits() {
    if (at_ >= text_.size() || !is_digit(text_[at_]))
      fail_at(at_, "expected a digit, found ", found());
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  }

  Json parse_number() {
    const size_t start = at_;
    bool whole = true;
    take('-');
    if (take('0')) {
      if (at_ < text_.size() && is_digit(text_[at_]))
        fail_at(start, "a number must not begin with 0");
    } else {
      skip_digits();
    }
    if (take('.')) {
      whole = false;
      skip_digits();
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      skip_digits();
    }
    const char *first = text_.data() + start, *last = text_.data() + at_;
    int64_t integer = 0;
    // −0 stays a double to keep its sign; so do integers of more than 64 bits.
    if (whole && std::from_chars(first, last, integer).ec == std::errc() &&
        !(integer == 0 && *first == '-'))
      return Json(integer);
    double number = 0;
    if (parse_double(first, last, number).ec != std::errc())
      fail_at(start, "the number ", std::string_view(first, last), " is out of range");
    return Json(number);
  }

  std::string_view text_, source_;
  size_t at_ = 0;
};

// ----------------------------------------------------------------------------------------- writing

void append_string(std::string& out, const std::string& text) {
  check(is_utf8(text), "json", "a string to write is not UTF-8");
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr char hex[] = "0123456789abcdef";
          out += {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  char* end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.append(digits, end);
}

}  // namespace

Json Json::parse(std::string_view text, std::string_view source) {
  return Parser(text, source).parse();
}

std::string Json::dump(int indent) const {
  std::string out;
  dump(out, indent, 0);
  return out;
}

void Json::dump(std::string& out, int indent, int margin) const {
  const int inner = margin + indent;
  const auto new_line = [&](int spaces) {
    if (indent > 0) out.append("\n").append(static_cast<size_t>(spaces), ' ');
  };
  /// Writes `count` items between brackets with `write(i)`.
  const auto list = [&](char open, char close, size_t count, const auto& write) {
    out.push_back(open);
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) out.append(indent > 0 ? "," : ", ");
      new_line(inner);
      write(i);
    }
    if (count > 0) new_line(margin);
    out.push_back(close);
  };
  if (is_null()) {
    out += "null";
  } else if (is_bool()) {
    out += as_bool() ? "true" : "false";
  } else if (is_int()) {
    append_number(out, as_int());
  } else if (is_number()) {
    const double number = as_double();
    check(std::isfinite(number), "json", "JSON has no way to write ", number);
    const size_t start = out.size();
    append_number(out, number);
    // So that it reads back as a double.
    if (out.find_first_of(".e", start) == out.npos) out += ".0";
  } else if (is_string()) {
    append_string(out, as_string());
  } else if (is_array()) {
    const Array& items = as_array();
    list('[', ']', items.size(), [&](size_t i) { items[i].dump(out, indent, inner); });
  } else {
    const Object& members = as_object();
    list('{', '}', members.size(), [&](size_t i) {
      append_string(out, members[i].first);
      out += ": ";
      members[i].second.dump(out, indent, inner);
    });
  }
}

// ------------------------------------------------------------------------------------------ access

const char* Json::kind() const {
  constexpr const char* names[] = {"null",     "a bool",   "a whole number", "a number",
                                   "a string", "an array", "an object"};
  return names[value_.index()];
}

double Json::as_double() const {
  return is_int() ? static_cast<double>(as_int()) : get<double>("a number");
}

const Json* Json::find(std::string_view key) const {
  for (const Member& member : as_object())
    if (member.first == key) return &member.second;
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  const Json* value = find(key);
  check(value != nullptr, "json", "the key '", key, "' is missing");
  return *value;
}

void Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object();
  as_object();  // checks the kind
  Object& members = std::get<Object>(value_);
  for (Member& member : members) {
    if (member.first == key) {
      member.second = std::move(value);
      return;
    }
  }
  members.emplace_back(std::string(key), std::move(value));
}

}  // namespace tarsier
