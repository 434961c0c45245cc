// Prints the parts of a text.
#include "autograd/base/error.h"

#include <sstream>

#include "autograd/base/call_site.h"

namespace tarsier {

Error::Error(const std::string& tag, const std::string& message)
    : std::runtime_error("[" + tag + "] " + message) {}

namespace detail {

void Part::print_text(std::ostream& out, const Part& part) {
  out << std::string_view(static_cast<const char*>(part.value_.pointer), part.length_);
}
void Part::print_character(std::ostream& out, const Part& part) {
  out << static_cast<char>(part.value_.integer);
}
void Part::print_integer(std::ostream& out, const Part& part) { out << part.value_.integer; }
void Part::print_unsigned(std::ostream& out, const Part& part) { out << part.value_.natural; }
void Part::print_real(std::ostream& out, const Part& part) { out << part.value_.real; }

std::string text_of(std::initializer_list<Part> parts) {
  std::ostringstream text;
  for (const Part& part : parts) part.print(text);
  return text.str();
}

void throw_error(const char* tag, std::initializer_list<Part> parts) {
  throw Error(tag, text_of(parts) + called_at());
}

}  // namespace detail
}  // namespace tarsier
