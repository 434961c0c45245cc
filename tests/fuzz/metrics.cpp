// metrics.jsonl, read by a report and by a resumed run; the first byte is its last step.
#include "tests/fuzz/fuzz.h"
#include "zoo/report/curves.h"
#include "zoo/task/run_folder.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const unsigned last_step = take_byte(bytes);
  folder().write("config.json", "{}");
  folder().write("metrics.jsonl", bytes);
  try {
    zoo::read_curves(bytes);
  } catch (const Error&) {  // a resumed run drops a line that was cut off
  }
  const zoo::RunFolder run = zoo::RunFolder::open(folder().path());
  const auto never = [] { return false; };
  promise(zoo::MetricsLog::rewind(run, last_step, never), "it finishes if nobody interrupts");
  // What it keeps is valid.
  promise(zoo::MetricsLog::rewind(run, last_step, never), "a second time there is nothing to do");
  zoo::MetricsLog log(run);
}
