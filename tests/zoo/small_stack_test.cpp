// Threads on some systems and in servers have stacks of 128 KiB: everything works on one.
#include <doctest/doctest.h>
#include <pthread.h>

#include <functional>
#include <sstream>

#include "autograd/base/parallel.h"
#include "autograd/io/json.h"
#include "tests/child.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/text.h"
#include "zoo/report/report.h"

namespace tarsier::zoo {
namespace {

/// Runs `body` on a thread with a stack of `kib` KiB, in a child process, which a too large frame
/// kills. Returns whether it finished.
bool fits(const std::function<void()>& body, size_t kilobytes = 128) {
  return in_child([&] {
           set_num_threads(1);  // all of the work is done here
           struct Task {
             const std::function<void()>& body;
             bool done = false;
           } task{body};
           pthread_attr_t attributes;
           ::pthread_attr_init(&attributes);
           ::pthread_attr_setstacksize(&attributes, (kSanitized ? 2048 : kilobytes) << 10);
           pthread_t thread;
           const auto run = [](void* data) -> void* {
             auto* const task = static_cast<Task*>(data);
             try {
               task->body();
               task->done = true;
             } catch (const std::exception& error) {
               MESSAGE(error.what());
             }
             return nullptr;
           };
           if (::pthread_create(&thread, &attributes, run, &task) != 0) return 2;
           ::pthread_join(thread, nullptr);
           return task.done ? 0 : 1;
         }) == 0;
}

TEST_CASE("a frame that is too large for a small stack is detected") {
  if (kSanitized) return;
  CHECK_FALSE(fits([] {
    volatile char large[130 << 10];
    for (size_t i = 0; i < sizeof large; i += 512) large[i] = 1;
  }));
}

TEST_CASE("files and texts of any size are read on a small stack") {
  const Scratch scratch;
  const std::string text(300'000, 'x');
  scratch.write("text", text);
  CHECK(fits(
      [&] {
        if (read_text_file(scratch.path("text")) != text) fail("test", "another text");
        read_file(scratch.path("text"));
      },
      64));
  CHECK(fits([] {  // as deep as the reader allows
    std::string deep;
    for (int i = 0; i < 50; ++i) deep += "[{\"a\":";
    deep += "1";
    for (int i = 0; i < 50; ++i) deep += "}]";
    const Json json = Json::parse(deep);
    if (json.dump().size() < deep.size()) fail("test", "another text");
  }));
  CHECK(fits([] {
    const Tensor x = randn({40, 40});
    std::ostringstream out;
    out << x << to(x, f64) << to(x, i64);
  }));
}

TEST_CASE("ops, their gradients and those of second order work on a small stack") {
  for (const DType dtype : {f32, f64}) {
    CHECK(fits([dtype] {
      const auto leaf = [&](const Shape& shape) { return randn(shape, dtype).requires_grad_(); };
      const Tensor x = leaf({2, 3, 70, 33}), w = leaf({5, 3, 3, 3}), q = leaf({2, 3, 70, 33});
      const Tensor image = conv2d(x, w);
      Tensor loss = sum(square(max_pool2d(image, {2, 2})));
      loss = loss + sum(square(scaled_dot_product_attention(q, q, q, Tensor(), 0.1, true)));
      loss = loss + sum(square(layer_norm(q))) + sum(log_softmax(q, -1)) + sum(norm(q));
      loss = loss + sum(square(matmul(x, transpose(q, -1, -2)))) + sum(cumsum(q, -1));
      loss = loss + sum(sort(q, -1).values) + sum(gelu(dropout(q, 0.5)));
      const Tensor gradient = grad({loss}, {q}, {}, false, /*create_graph=*/true)[0];
      sum(square(gradient)).backward();
      to(transpose(to(q.detach(), i64), 0, 3), f64);
    }));
  }
}

TEST_CASE("every model trains, saves, reports and answers on a small stack") {
  const Scratch scratch;
  const std::string text = scratch.write("data.txt", small_text());
  int number = 0;
  const auto works = [&](const std::string& model, const std::string& data, const Changes& changes,
                         const std::string& input) {
    const std::string out = scratch.path(std::to_string(number++));
    CAPTURE(model);
    CHECK(fits([&] {
      const std::unique_ptr<Task> task = prepared_task(model, data, changes);
      const TrainOutcome outcome = train_task(*task, data, out);
      write_report(*task, RunFolder::open(out), outcome, {});
      std::ostringstream answer;
      const std::unique_ptr<Task> loaded = loaded_task(out);
      if (Settings options = loaded->predict_options(); options.has("tokens"))
        options.set("tokens", "5");
      loaded->predict({input}, answer);
    }));
  };
  works("gpt", text,
        {{"steps", "3"},
         {"n_layer", "1"},
         {"n_head", "2"},
         {"n_embd", "16"},
         {"block_size", "8"},
         {"tokens", "bpe"},
         {"vocab_size", "270"}},
        "the");
  const Changes small = {{"epochs", "0"}, {"steps", "2"},     {"width", "8"},     {"heads", "2"},
                         {"layers", "1"}, {"mlp_width", "8"}, {"batch_size", "4"}};
  works("transformer", "", small, "Friday, Nov 20th 2026");
  works("text-classifier", "", small, "Tensor x;");
  works("recommend", "", small, "Dust 1 (western)");
  Changes vit = small;
  Changes music = small;
  music.push_back({"window", "16"});
  works("music", "", music, "72,67,60,48");
  works("question-answering", "",
        {{"epochs", "0"}, {"steps", "2"}, {"width", "8"}, {"heads", "2"}, {"mlp_width", "8"}},
        "Ada walked to the attic. Where is Ada?");
  vit.insert(vit.end(), {{"stem", "patches"}, {"patch_size", "14"}});
  works("vit", "", vit, scratch.write("one.pgm", "P2 2 2 9\n0 9 0 9\n"));
}

}  // namespace
}  // namespace tarsier::zoo
