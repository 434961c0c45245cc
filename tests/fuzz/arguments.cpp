// The command line: one word per line.
#include "zoo/cli/arguments.h"

#include "tests/fuzz/fuzz.h"
#include "zoo/data/lines.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  static const zoo::CommandSpec train = {.name = "train",
                                         .arguments = "[MODEL]",
                                         .min_arguments = 0,
                                         .max_arguments = 1,
                                         .summary = "",
                                         .details = "",
                                         .options = {{"data", "PATH", ""},
                                                     {"steps", "N", ""},
                                                     {"temperature", "T", ""},
                                                     {"set", "KEY=VALUE", "", true},
                                                     {"quiet", "", ""}}};
  const zoo::Arguments arguments(train, zoo::split_lines(bytes));
  promise(arguments.wants_help() || arguments.positional().size() <= 1, "not too many arguments");
  arguments.text("data");
  for (const std::string& value : arguments.all("set")) promise(!value.empty(), "values are there");
  const auto steps = arguments.integer("steps", 1, 1000);
  promise(!steps || (*steps >= 1 && *steps <= 1000), "limits hold");
  const auto temperature = arguments.number("temperature", 0, 10);
  promise(!temperature || (*temperature >= 0 && *temperature <= 10), "limits hold");
}
