// Labelled text: the first byte chooses .csv or .tsv, and what stands first.
#include "zoo/data/labelled.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const unsigned choice = take_byte(bytes);
  const auto order = choice & 2 ? zoo::FieldOrder::text_first : zoo::FieldOrder::label_first;
  const std::string path = folder().write(choice & 1 ? "input.csv" : "input.tsv", bytes);
  const auto lines = zoo::read_labelled(path, order);
  for (const zoo::LabelledLine& line : lines)
    promise(!line.label.empty() && !line.text.empty() && line.line > 0, "an example has both");
  const zoo::LabelledData data = zoo::read_labelled_data(path, order, {1, 2});
  promise(
      data.train.size() + data.val.size() + data.test.size() == static_cast<int64_t>(lines.size()),
      "every example is in one part");
}
