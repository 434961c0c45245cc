#include "zoo/pretrained/pickle.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "autograd/base/error.h"

namespace tarsier::zoo {

namespace {

constexpr size_t kMostValues = 2'000'000;
constexpr const char* kOrderedDict = "collections OrderedDict";

struct Opcode {
  uint8_t code;
  const char* name;
};
/// Those that are refused, by Python's names.
constexpr Opcode kRefused[] = {
    {'0', "POP"},
    {'1', "POP_MARK"},
    {'2', "DUP"},
    {'F', "FLOAT"},
    {'I', "INT"},
    {'L', "LONG"},
    {'P', "PERSID"},
    {'S', "STRING"},
    {'T', "BINSTRING"},
    {'U', "SHORT_BINSTRING"},
    {'V', "UNICODE"},
    {'d', "DICT"},
    {'g', "GET"},
    {'i', "INST"},
    {'l', "LIST"},
    {'o', "OBJ"},
    {'p', "PUT"},
    {0x81, "NEWOBJ"},
    {0x82, "EXT1"},
    {0x83, "EXT2"},
    {0x84, "EXT4"},
    {0x8B, "LONG4"},
    {'B', "BINBYTES"},
    {'C', "SHORT_BINBYTES"},
    {0x8C, "SHORT_BINUNICODE"},
    {0x8D, "BINUNICODE8"},
    {0x8E, "BINBYTES8"},
    {0x8F, "EMPTY_SET"},
    {0x90, "ADDITEMS"},
    {0x91, "FROZENSET"},
    {0x92, "NEWOBJ_EX"},
    {0x93, "STACK_GLOBAL"},
    {0x94, "MEMOIZE"},
    {0x95, "FRAME"},
    {0x96, "BYTEARRAY8"},
    {0x97, "NEXT_BUFFER"},
    {0x98, "READONLY_BUFFER"},
};

}  // namespace

/// Runs the program of a pickle.
class PickleMachine {
 public:
  using Kind = PickleValue::Kind;
  using Ref = Pickle::Ref;

  PickleMachine(Pickle& pickle, std::string_view bytes, const std::string& source,
                const std::function<bool(std::string_view)>& allowed)
      : values_(pickle.values_), bytes_(bytes), source_(source), allowed_(allowed) {}

  /// The number of the value at the end.
  Ref run() {
    require(take(1) == "\x80", "not a pickle of protocol 2 or 3");
    const uint64_t protocol = number(1);
    require(protocol == 2 || protocol == 3, "a pickle of protocol ", protocol,
            ", where 2 was expected: torch.save(…, pickle_protocol=2) writes it");
    for (;;) {
      opcode_ = at_;
      const auto code = static_cast<uint8_t>(take(1)[0]);
      if (code == '.') break;
      const bool done = constant(code) || memo(code) || container(code) || object(code);
      if (!done) refuse(code);
    }
    require(at_ == bytes_.size(), "the pickle ends here, and ", bytes_.size() - at_,
            " bytes follow");
    require(stack_.size() == 1 && marks_.empty(), "the pickle ends with ", stack_.size(),
            " values, where one was expected");
    return stack_[0];
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (!condition) [[unlikely]]
      fail("pickle", source_, ", byte ", opcode_, ": ", parts...);
  }

  [[noreturn]] void refuse(uint8_t code) const {
    const auto* known =
        std::ranges::find_if(kRefused, [&](const Opcode& opcode) { return opcode.code == code; });
    const std::string name = known == std::end(kRefused) ? "" : concat(" ", known->name);
    fail("pickle", source_, ", byte ", opcode_, ": the opcode", name, " (", int{code},
         ") is not read: state dicts have none; save model.state_dict() alone");
  }

  // ---- bytes ----

  std::string_view take(uint64_t count) {
    require(count <= bytes_.size() - at_, "the pickle is cut off");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  /// The number of that many bytes, lowest first.
  uint64_t number(size_t count) {
    const std::string_view digits = take(count);
    uint64_t value = 0;
    for (size_t i = count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(digits[i]);
    return value;
  }
  /// The same with a sign, of at most 8 bytes.
  int64_t signed_number(size_t count) {
    const uint64_t value = number(count);
    if (count == 0) return 0;
    const auto unused = static_cast<int>(64 - 8 * count);
    return static_cast<int64_t>(value << unused) >> unused;
  }
  std::string_view line() {
    const size_t end = bytes_.find('\n', at_);
    require(end != bytes_.npos, "the pickle is cut off");
    const std::string_view text = take(end - at_);
    at_ += 1;
    return text;
  }

  // ---- the stack ----

  void push(PickleValue value) {
    require(values_.size() < kMostValues, "more than ", kMostValues, " values");
    stack_.push_back(static_cast<Ref>(values_.size()));
    values_.push_back(std::move(value));
  }
  void push(Kind kind, int64_t value = 0, std::string_view text = {}) {
    push(PickleValue{kind, value, text, {}});
  }
  /// The values above the last mark, or above an empty stack.
  size_t height() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  Ref pop() {
    require(height() > 0, "a value is missing on the stack");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  /// The last `count` values, in their order.
  std::vector<Ref> pop(size_t count) {
    require(height() >= count, "a value is missing on the stack");
    std::vector<Ref> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<Ref> pop_to_mark() {
    require(!marks_.empty(), "there is no mark");
    std::vector<Ref> items = pop(height());
    marks_.pop_back();
    return items;
  }
  PickleValue& top(Kind kind, const char* expected) {
    require(height() > 0 && values_[stack_.back()].kind == kind, expected, " was expected");
    return values_[stack_.back()];
  }

  // ---- opcodes: each function says whether the code is one of its own ----

  bool constant(uint8_t code) {
    switch (code) {
      case 'N':
        push(Kind::none);
        return true;
      case 0x88:
        push(Kind::boolean, 1);
        return true;
      case 0x89:
        push(Kind::boolean, 0);
        return true;
      case 'K':
        push(Kind::whole, static_cast<int64_t>(number(1)));
        return true;
      case 'M':
        push(Kind::whole, static_cast<int64_t>(number(2)));
        return true;
      case 'J':
        push(Kind::whole, signed_number(4));
        return true;
      case 0x8A: {  // LONG1
        const uint64_t size = number(1);
        if (size <= 8) {
          push(Kind::whole, signed_number(size));
        } else {
          take(size);
          push(Kind::other);
        }
        return true;
      }
      case 'G':
        take(8);
        push(Kind::other);
        return true;
      case 'X': {
        const uint64_t size = number(4);
        push(Kind::text, 0, take(size));
        return true;
      }
      default:
        return false;
    }
  }

  bool memo(uint8_t code) {
    switch (code) {
      case 'q':
        put(number(1));
        return true;
      case 'r':
        put(number(4));
        return true;
      case 'h':
        get(number(1));
        return true;
      case 'j':
        get(number(4));
        return true;
      default:
        return false;
    }
  }
  void put(uint64_t place) {
    require(height() > 0, "a value is missing on the stack");
    require(place < kMostValues, "place ", place, " of the memo; ", kMostValues, " are the limit");
    if (place >= memo_.size()) memo_.resize(place + 1, kNothing);
    memo_[place] = stack_.back();
  }
  void get(uint64_t place) {
    require(place < memo_.size() && memo_[place] != kNothing, "place ", place,
            " of the memo is empty");
    stack_.push_back(memo_[place]);
  }

  bool container(uint8_t code) {
    switch (code) {
      case '(':
        require(marks_.size() < kMostValues, "more than ", kMostValues, " marks");
        marks_.push_back(stack_.size());
        return true;
      case ')':
        push(Kind::tuple);
        return true;
      case ']':
        push(Kind::list);
        return true;
      case '}':
        push(Kind::dict);
        return true;
      case 't':
        push({Kind::tuple, 0, {}, pop_to_mark()});
        return true;
      case 0x85:
      case 0x86:
      case 0x87:
        push({Kind::tuple, 0, {}, pop(code - size_t{0x84})});
        return true;
      case 'a':
        add(Kind::list, "a list", pop(1));
        return true;
      case 'e':
        add(Kind::list, "a list", pop_to_mark());
        return true;
      case 's':
        add(Kind::dict, "a dict", pop(2));
        return true;
      case 'u':
        add(Kind::dict, "a dict", pop_to_mark());
        return true;
      default:
        return false;
    }
  }
  void add(Kind kind, const char* what, const std::vector<Ref>& items) {
    std::vector<Ref>& all = top(kind, what).items;
    require(kind != Kind::dict || items.size() % 2 == 0, "a key without a value");
    all.insert(all.end(), items.begin(), items.end());
  }

  bool object(uint8_t code) {
    switch (code) {
      case 'c':
        global();
        return true;
      case 'R':
        call();
        return true;
      case 'Q':
        push({Kind::external, 0, {}, pop(1)});
        return true;
      case 'b':
        pop();
        require(height() > 0, "a value is missing on the stack");
        return true;
      default:
        return false;
    }
  }
  /// Two lines, module and name, as one text: the line break between them counts as the space.
  void global() {
    const std::string_view module = line(), name = line();
    const std::string text = concat(module, " ", name);
    require(allowed_(text), "the pickle asks for '", printable(module), ".", printable(name),
            "', which no state dict needs: save model.state_dict() alone");
    push(Kind::global, 0, {module.data(), module.size() + 1 + name.size()});
  }
  /// A name for a message.
  static std::string printable(std::string_view name) {
    std::string text(name.substr(0, 80));
    for (char& c : text)
      if (c < ' ' || c > '~') c = '?';
    return text;
  }
  void call() {
    const Ref arguments = pop();
    require(values_[arguments].kind == Kind::tuple, "a call without a tuple of arguments");
    const PickleValue& callee = top(Kind::global, "a function or class");
    const bool is_dict = Pickle::global_name(callee) == kOrderedDict;
    require(!is_dict || values_[arguments].items.empty(), "an OrderedDict with arguments");
    const Ref called = pop();
    if (is_dict)
      push(Kind::dict);
    else
      push({Kind::call, 0, {}, {called, arguments}});
  }

  static constexpr Ref kNothing = ~Ref{0};

  std::deque<PickleValue>& values_;
  std::string_view bytes_;
  const std::string& source_;
  const std::function<bool(std::string_view)>& allowed_;
  size_t at_ = 0, opcode_ = 0;
  std::vector<Ref> stack_, memo_;
  std::vector<size_t> marks_;
};

Pickle::Pickle(std::string_view bytes, const std::string& source,
               const std::function<bool(std::string_view global)>& allowed) {
  root_ = PickleMachine(*this, bytes, source, allowed).run();
}

std::string Pickle::global_name(const PickleValue& value) {
  std::string name(value.text);
  std::ranges::replace(name, '\n', ' ');
  return name;
}

bool Pickle::is_call(const PickleValue& value, std::string_view global) const {
  return value.kind == PickleValue::Kind::call && global_name((*this)[value.items[0]]) == global;
}

}  // namespace tarsier::zoo
