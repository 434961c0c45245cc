#pragma once
// Errors are for the person who made the mistake: [op] what was given, what was expected, how to
// fix it, and the line that called the op.
//
// Hundreds of places check something, nearly every file includes this one, and a text is hardly
// ever made. So the parts of a text lose their types here, and what prints them is compiled once,
// in error.cpp.

#include <initializer_list>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace tarsier {

/// Thrown on every misuse and bad input: what() reads "[tag] facts and fix (called at
/// main.cpp:12)".
class Error : public std::runtime_error {
 public:
  Error(const std::string& tag, const std::string& message);
};

namespace detail {

/// Something to print: a word, a number, or a reference to anything that an ostream takes. It
/// refers to its value, so it must not outlive the call that it is made for.
class Part {
 public:
  Part(const char* text) : Part(std::string_view(text)) {}
  Part(std::string_view text) : print_(print_text), length_(text.size()) {
    value_.pointer = text.data();
  }
  Part(const std::string& text) : Part(std::string_view(text)) {}
  Part(bool value) : Part(int{value}) {}
  Part(char value) : print_(print_character) { value_.integer = value; }
  Part(int value) : Part(static_cast<long long>(value)) {}
  Part(long value) : Part(static_cast<long long>(value)) {}
  Part(long long value) : print_(print_integer) { value_.integer = value; }
  Part(unsigned value) : Part(static_cast<unsigned long long>(value)) {}
  Part(unsigned long value) : Part(static_cast<unsigned long long>(value)) {}
  Part(unsigned long long value) : print_(print_unsigned) { value_.natural = value; }
  Part(double value) : print_(print_real) { value_.real = value; }
  Part(float value) : Part(static_cast<double>(value)) {}
  /// Anything with an operator<<: Shape, DType, Tensor, a path.
  template <class T>
  requires(std::is_class_v<T> || std::is_enum_v<T>) Part(const T& value)
      : print_([](std::ostream& out, const Part& part) {
          out << *static_cast<const T*>(part.value_.pointer);
        }) {
    value_.pointer = &value;
  }
  Part(const void*) = delete;  // an address says nothing to the reader of an error
  Part(signed char) = delete;  // a number or a character?
  Part(unsigned char) = delete;

  void print(std::ostream& out) const { print_(out, *this); }

 private:
  static void print_text(std::ostream& out, const Part& part);
  static void print_character(std::ostream& out, const Part& part);
  static void print_integer(std::ostream& out, const Part& part);
  static void print_unsigned(std::ostream& out, const Part& part);
  static void print_real(std::ostream& out, const Part& part);

  union {
    const void* pointer;
    long long integer;
    unsigned long long natural;
    double real;
  } value_;
  void (*print_)(std::ostream& out, const Part& part);
  size_t length_ = 0;  // of a text
};

std::string text_of(std::initializer_list<Part> parts);
[[noreturn]] void throw_error(const char* tag, std::initializer_list<Part> parts);

}  // namespace detail

/// The parts, concatenated as an ostream writes them.
template <class... Parts>
std::string concat(const Parts&... parts) {
  return detail::text_of({detail::Part(parts)...});
}

/// Throws Error: fail("matmul", "shapes ", a.shape(), " and ", b.shape(), " do not multiply").
/// If an op is running, the line that called it is added.
template <class... Parts>
[[noreturn]] void fail(const char* tag, const Parts&... parts) {
  detail::throw_error(tag, {detail::Part(parts)...});
}

/// fail(tag, parts...) unless `condition`. The text is made only on failure.
template <class... Parts>
void check(bool condition, const char* tag, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::throw_error(tag, {detail::Part(parts)...});
}

}  // namespace tarsier
