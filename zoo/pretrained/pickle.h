#pragma once
// The part of Python's pickle format that files of torch.save use, read without doing anything: the
// calls that a pickle asks for are noted, never made.
//
// A pickle is a program for a machine with a stack and a memo. These are the opcodes that are read:
//
//   PROTO 2 or 3, STOP                                begin and end
//   NONE NEWTRUE NEWFALSE                             None, True, False
//   BININT BININT1 BININT2 LONG1 BINFLOAT             numbers
//   BINUNICODE                                        a text
//   EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3            tuples
//   EMPTY_LIST APPEND APPENDS                         lists
//   EMPTY_DICT SETITEM SETITEMS                       dicts
//   MARK                                              begins the items of the next one
//   BINPUT LONG_BINPUT BINGET LONG_BINGET             keep a value in the memo, take it from there
//   GLOBAL                                            a function or class, by its name
//   REDUCE                                            a call of one; of OrderedDict: a dict
//   BUILD                                             attributes of an object: dropped
//   BINPERSID                                         something outside the pickle
//
// Source: the comments of https://github.com/python/cpython/blob/main/Lib/pickletools.py

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// A value of a pickle. Others are referred to by their numbers, since one may be in several places.
struct PickleValue {
  enum class Kind {
    none,
    boolean,   ///< number: 0 or 1
    whole,     ///< number
    other,     ///< a number of Python that is not needed: floating, or of more than 64 bits
    text,      ///< text, UTF-8 or not
    tuple,     ///< items
    list,      ///< items
    dict,      ///< items: key, value, key, value, …
    global,    ///< text: the module, a line break, the name
    call,      ///< items: what is called, its arguments
    external,  ///< items: the tuple that names what is outside
  };
  Kind kind = Kind::none;
  int64_t number = 0;
  std::string_view text;  ///< in the pickle's bytes
  std::vector<uint32_t> items;
};

/// A pickle's values.
class Pickle {
 public:
  using Ref = uint32_t;

  /// `bytes` must stay valid, since texts refer to them. `allowed` says which globals may occur, by
  /// "module name". Errors name `source` (a file), and the byte.
  /// Throws Error("pickle") for every opcode that is not in the list above, other globals, a memo
  /// that is not filled, an empty stack, an end that is too early or too late, and more than two
  /// million values, which no model has.
  Pickle(std::string_view bytes, const std::string& source,
         const std::function<bool(std::string_view global)>& allowed);

  const PickleValue& root() const { return (*this)[root_]; }
  const PickleValue& operator[](Ref ref) const { return values_[ref]; }

  /// "module name" of a global.
  static std::string global_name(const PickleValue& value);
  /// Whether a value is a call of this global, "module name".
  bool is_call(const PickleValue& value, std::string_view global) const;

 private:
  friend class PickleMachine;

  std::deque<PickleValue> values_;
  Ref root_ = 0;
};

}  // namespace tarsier::zoo
