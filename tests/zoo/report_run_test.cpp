// The report of a whole run.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tests/zoo/markup.h"
#include "tests/zoo/scratch.h"
#include "zoo/report/curves.h"
#include "zoo/report/report.h"

namespace tarsier::zoo {
namespace {

/// The page of the tiny GPT after some of 8 steps.
std::string page_of_run(const Scratch& scratch, int64_t stop_after) {
  const std::string data = scratch.write("data.txt", small_text());
  const std::unique_ptr<Task> task = tiny_task(data, 8);
  const RunFolder folder = new_run(*task, data, scratch.path("run"));
  TrainOptions options;
  int64_t steps = 0;
  options.interrupted = [&] { return ++steps == stop_after; };
  TrainObserver silence;
  const TrainOutcome outcome = train(*task, folder, options, silence);
  write_report(*task, folder, outcome, {"tarsier eval '<run>'"});
  return scratch.read("run/report.html");
}

TEST_CASE("report.html of a run, whole or interrupted, is one file with all its parts") {
  for (const int64_t stop_after : {0, 2}) {
    const Scratch scratch;
    const std::string html = page_of_run(scratch, stop_after);
    CHECK(flaw(html) == "");
    CHECK(count(html, stop_after == 0 ? "All 8 steps are done." : "Stopped after step 2 of 8.") ==
          1);
    for (const char* part :
         {">loss<", ">learning rate<", ">norm of the gradient", "per second<", "n_embd",
          "eval &#39;&lt;run&gt;&#39;", "Where it looks", "layer 2, head 2, to ", "In numbers",
          "prefers-color-scheme", "width=device-width"})
      CHECK_MESSAGE(count(html, part) > 0, part);
    CHECK(count(html, "class=\"chart\"") == 4);
    // The loss of guessing among the 16 characters of the text.
    CHECK(count(html, "2.77 = ln 16") == 2);
    CHECK(count(html, ">guessing</text>") == 1);
    CHECK((count(html, "as one between ") == 1) == (stop_after == 0));
    CHECK(count(html, "<title>gpt: run</title>") == 1);
    CHECK(count(html, " at step 1</title>") == 4);  // of the loss, the rate, the norm, the speed
    CHECK((count(html, ">val loss</text>") == 1) == (stop_after == 0));
    for (const char* outside : {"http:", "https:", "src=", "url(", "@import", "<link", "<script"})
      CHECK_MESSAGE(count(html, outside) == 0, outside);
    CHECK(count(html, "href=") == count(html, "href=\"data:image/png;base64,"));
    CHECK(html.size() < 400'000);
  }
}

TEST_CASE(
    "if a model's own part fails, the page is written without it, and the error is reported") {
  const Scratch scratch;
  page_of_run(scratch, 0);
  const RunFolder folder = RunFolder::open(scratch.path("run"));
  const std::unique_ptr<Task> task = tiny_task(scratch.path("data.txt"), 8);
  std::filesystem::remove(folder.file("model.safetensors"));
  std::filesystem::remove(folder.file("report.html"));
  CHECK_THROWS_AS(write_report(*task, folder, {.step = 8}, {}), Error);
  const std::string html = scratch.read("run/report.html");
  CHECK(flaw(html) == "");
  CHECK(count(html, "This part could not be made") == 1);
  CHECK(count(html, ">loss<") == 1);
  CHECK(count(html, ">Settings<") == 1);
}

TEST_CASE("a run without a step has a page as well") {
  const Scratch scratch;
  page_of_run(scratch, 2);
  scratch.write("run/metrics.jsonl", "");
  const std::unique_ptr<Task> task = tiny_task(scratch.path("data.txt"), 8);
  write_report(*task, RunFolder::open(scratch.path("run")), {.interrupted = true}, {});
  const std::string html = scratch.read("run/report.html");
  CHECK(flaw(html) == "");
  CHECK(count(html, "No step is done yet.") == 1);
  // A folder with the name of its model is not shown as a second name.
  std::filesystem::rename(scratch.path("run"), scratch.path("gpt"));
  write_report(*task, RunFolder::open(scratch.path("gpt")), {.interrupted = true}, {});
  CHECK(count(scratch.read("gpt/report.html"), "<title>gpt</title>") == 1);
}

TEST_CASE("headless Chromium opens the page without a complaint") {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) {
    MESSAGE("skipped: there is no chromium (Debian: apt install chromium)");
    return;
  }
  const Scratch scratch;
  const std::string html = page_of_run(scratch, 0);
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr --v=0"
      " --user-data-dir='" +
      scratch.path("profile") + "' --dump-dom 'file://" + scratch.path("run/report.html") + "' >'" +
      scratch.path("dom") + "' 2>'" + scratch.path("log") + "'";
  const int status = std::system(command.c_str());
  const std::string dom = scratch.read("dom"), log = scratch.read("log");
  REQUIRE_MESSAGE((WIFEXITED(status) && WEXITSTATUS(status) == 0), log);
  // Chromium also prints errors of its own; those of the page have this mark.
  CHECK_MESSAGE(log.find("CONSOLE") == log.npos, log);
  CHECK(count(dom, "<svg ") == count(html, "<svg "));
  CHECK(count(dom, "<svg ") == 4 + 1 + 4);  // curves, the last layer, two layers of two heads
  CHECK(count(dom, "<path ") == count(html, "<path "));
}

}  // namespace
}  // namespace tarsier::zoo
