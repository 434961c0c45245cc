// Labelled text: the first byte selects .csv or .tsv, the order of the columns, and the header.
#include "zoo/data/labelled.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const unsigned choice = take_byte(bytes);
  zoo::LabelledColumns columns;
  columns.order = choice & 2 ? zoo::FieldOrder::text_first : zoo::FieldOrder::label_first;
  if (choice & 4) columns.header = choice & 8 ? zoo::Header::yes : zoo::Header::no;
  if (choice & 16) columns.text = "2";
  const std::string path = folder().write(choice & 1 ? "input.csv" : "input.tsv", bytes);
  const auto lines = zoo::read_labelled(path, columns).lines;
  promise(!lines.empty(), "a file without examples is refused");
  for (const zoo::LabelledLine& line : lines)
    promise(!line.label.empty() && !line.text.empty() && line.line > 0, "an example has both");
  const zoo::LabelledData data = zoo::read_labelled_data(path, columns, {1, 2});
  promise(
      data.train.size() + data.val.size() + data.test.size() == static_cast<int64_t>(lines.size()),
      "every example is in one part");
}
