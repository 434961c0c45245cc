// Interactions: the first byte selects the kind of file, how its columns are found, and titles.
#include "zoo/data/interactions.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const unsigned choice = take_byte(bytes);
  zoo::InteractionColumns columns;
  if (choice & 2) columns = {.user = "2", .item = "1"};
  if (choice & 4) columns.time = "3";
  if (choice & 8) columns.titles = folder().write("titles", bytes.substr(bytes.size() / 2));
  const zoo::Interactions data = zoo::read_interactions(
      folder().write(choice & 1 ? "input.inter" : "input.txt", bytes), columns);
  promise(data.events() > 0, "a file without events is refused");
  promise(data.titles.size() == data.items.size() && data.lines.size() == data.items.size(),
          "every item has a title and a line");
  for (const std::vector<int32_t>& history : data.histories) {
    promise(!history.empty(), "every user has an item");
    for (const int32_t item : history)
      promise(item >= 0 && item < data.size(), "every item has a name");
  }
}
