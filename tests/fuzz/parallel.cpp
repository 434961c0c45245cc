// Parallel text: the first byte chooses what becomes of blank pairs; a byte 0 parts the languages.
#include "zoo/data/parallel.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const auto blanks = take_byte(bytes) & 1 ? zoo::BlankPairs::keep : zoo::BlankPairs::leave_out;
  const std::string source = folder().write("train.de", take_part(bytes, '\0'));
  const std::string target = folder().write("train.en", bytes);
  const zoo::ParallelText text = zoo::read_parallel(source, target, blanks);
  promise(text.source.size() == text.target.size() && text.size() > 0, "sentences come in pairs");
}
