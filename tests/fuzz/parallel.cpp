// Parallel text: the first byte chooses how blank pairs are handled, or two columns of one table; a
// 0 byte separates the languages.
#include "zoo/data/parallel.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const unsigned choice = take_byte(bytes);
  if (choice & 2) {
    const std::string path = folder().write(choice & 4 ? "pairs.csv" : "pairs.tsv", bytes);
    const zoo::ParallelFolder all = zoo::read_parallel_data(path, choice & 8 ? "de" : "source",
                                                            choice & 8 ? "en" : "target", {1, 2});
    promise(all.train.size() > 0 && all.val.size() > 0, "there is something to learn from");
    return;
  }
  const auto blanks = choice & 1 ? zoo::BlankPairs::keep : zoo::BlankPairs::leave_out;
  const std::string source = folder().write("train.de", take_part(bytes, '\0'));
  const std::string target = folder().write("train.en", bytes);
  const zoo::ParallelText text = zoo::read_parallel(source, target, blanks);
  promise(text.source.size() == text.target.size() && text.size() > 0, "sentences come in pairs");
}
