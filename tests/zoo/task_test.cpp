// Rules of every task: what its model knows of the data is learned once, or restored, and all later
// data are read in these terms. And what a new task gets for free.
#include "zoo/task/task.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <tuple>

#include "tests/error_of.h"
#include "tests/zoo/scratch.h"
#include "tests/zoo/task_samples.h"
#include "zoo/base/usage_error.h"

namespace tarsier::zoo {
namespace {

// ---- every model of the list ----

std::unique_ptr<Task> made(const ModelEntry& entry, const Changes& changes) {
  std::unique_ptr<Task> task = entry.make();
  Settings settings = task->settings();
  for (const auto& [name, value] : changes) settings.set(name, value);
  return task;
}

/// Those members of describe_data() that are the same for all data.
Json::Object common(const Json& a, const Json& b) {
  Json::Object out;
  for (const auto& [name, value] : a.as_object())
    if (value == b[name]) out.emplace_back(name, value);
  return out;
}

TEST_CASE("every model: restored knowledge equals learned knowledge, to the last bit") {
  for (const ModelEntry& entry : models()) {
    CAPTURE(entry.name);
    const Scratch scratch;
    const Sample sample = sample_of(entry.family, scratch);
    const auto learned = made(entry, sample.changes), restored = made(entry, sample.changes);
    learned->load_data(sample.data);
    learned->build(7);
    restored->restore_data(Json::parse(learned->describe_data().dump()));
    restored->build(7);  // a model can be made without data
    restored->load_data(sample.data);
    CHECK(restored->describe_data() == learned->describe_data());
    restored->build(7);
    CHECK(same_bits(restored->model().state_dict(), learned->model().state_dict()));
    for (const int64_t number : {1, 2, 5})
      CHECK(same_bits(restored->batch(number, 7).tensors, learned->batch(number, 7).tensors));
    for (Task* task : {learned.get(), restored.get()}) task->model().eval();  // no dropout
    CHECK(restored->validate().front().value == learned->validate().front().value);
    CHECK(restored->facts() == learned->facts());
  }
}

TEST_CASE("every model: other data change nothing of what the model knows") {
  for (const ModelEntry& entry : models()) {
    CAPTURE(entry.name);
    const Scratch scratch;
    const Sample sample = sample_of(entry.family, scratch);
    const auto task = made(entry, sample.changes), other = made(entry, sample.changes);
    task->load_data(sample.data);
    other->load_data(sample.other);
    const Json before = task->describe_data();
    // Each model knows something, which differs for the other data.
    CHECK(common(before, other->describe_data()).size() < before.as_object().size() - 1);
    task->build(3);
    const auto restored = made(entry, sample.changes);
    restored->restore_data(before);
    restored->build(3);
    for (Task* one : {task.get(), restored.get()}) {
      one->load_data(sample.other);
      const Json after = one->describe_data();
      size_t changed = 0;  // the marks: fewer than in the other task
      for (const auto& [name, value] : before.as_object()) changed += value != after[name];
      CHECK(changed <= 2);
      CHECK_NOTHROW(one->evaluate());
      one->load_data(sample.data);
      CHECK(one->describe_data() == before);
    }
  }
}

TEST_CASE("every model: different examples of the same number are other data") {
  for (const ModelEntry& entry : models()) {
    CAPTURE(entry.name);
    const Scratch scratch;
    const Sample sample = sample_of(entry.family, scratch);
    const auto task = made(entry, sample.changes);
    task->load_data(sample.data);
    const Json before = task->describe_data();
    task->load_data(sample.twin);
    const Json after = task->describe_data();
    CHECK(common(before, after).size() == before.as_object().size() - 1);
    CHECK(before["fingerprint"] != after["fingerprint"]);
  }
}

TEST_CASE("every model: calls in a wrong order are refused, with what to call first") {
  for (const ModelEntry& entry : models()) {
    CAPTURE(entry.name);
    const Scratch scratch;
    const Sample sample = sample_of(entry.family, scratch);
    const auto task = made(entry, sample.changes);
    const std::string start = "[task] " + entry.name + ": ";
    CHECK(error_of([&] { task->build(1); }) ==
          start + "call load_data() or restore_data() before build()");
    CHECK(error_of([&] { task->describe_data(); }) ==
          start + "call load_data() or restore_data() before describe_data()");
    CHECK(error_of([&] { task->model(); }) == start + "call build() before model()");
    task->load_data(sample.data);
    CHECK(error_of([&] { task->model(); }) == start + "call build() before model()");
    CHECK(error_of([&] { task->restore_data(task->describe_data()); }) ==
          start + "call restore_data() before load_data()");
  }
}

TEST_CASE("text classifier: labels of other data have the numbers that the model knows") {
  const Scratch scratch;
  const Sample sample = sample_of("text-classifier", scratch);
  const auto task = made(find_model("sentiment"), sample.changes);
  task->load_data(sample.data);   // air, earth, sea
  task->load_data(sample.other);  // sea is 1 among these two
  std::set<double> labels;
  for (const double label : task->batch(1, 1)["labels"].to_vector()) labels.insert(label);
  for (const double label : task->batch(2, 1)["labels"].to_vector()) labels.insert(label);
  CHECK(labels == std::set<double>{0, 2});
  std::string unseen;
  for (int i = 0; i < 30; ++i) unseen += i % 2 == 0 ? "sea\tthe one\n" : "fire\tthe other\n";
  const std::string file = scratch.write("c.tsv", unseen);
  CHECK(error_of([&] { task->load_data(file); }) ==
        "[data] '" + file +
            "': training has never seen the label 'fire'; it knows 'air', 'earth', 'sea'");
}

TEST_CASE("vit: images of another size are fitted, classes that are unknown refused") {
  const Scratch scratch;
  const Sample sample = sample_of("vit", scratch);
  const auto task = made(find_model("vit"), sample.changes);
  task->load_data(sample.data);
  Images small;
  for (int i = 0; i < 30; ++i) small.append({1, 14, 14, std::vector<uint8_t>(196, 9)}, i % 10);
  write_idx(scratch, "small", "train", small);
  write_idx(scratch, "small", "t10k", small);
  task->load_data(scratch.path("small"));
  CHECK(task->batch(1, 1)["images"].size(2) == 28);
  Images more = draw_digits(30, {5, 0});
  more.labels[29] = 10;
  write_idx(scratch, "more", "train", more);
  write_idx(scratch, "more", "t10k", more);
  check_error("has the class '10', which the model does not know; it knows '0', '1', '2'",
              [&] { task->load_data(scratch.path("more")); });
}

// ---- a task with only the required functions ----

/// y = w · x, to be learned from numbers.
struct Line : nn::Layer<Line> {
  Tensor w;
  explicit Line(Generator& generator) { register_parameter("w", w, randn({1}, f32, generator)); }
  Tensor forward(const Arg& x) { return w * x; }
};

struct LineTask : TaskOf<Line, std::vector<double>> {
  std::vector<double> numbers;
  LineTask() : TaskOf("line") {
    recipe.steps = 8;
    recipe.batch_size = 2;
    recipe.learning_rate = 0.1;
  }
  int64_t training_examples() const override { return static_cast<int64_t>(numbers.size()); }
  Batch batch(int64_t number, uint64_t seed) override {
    std::vector<float> x;
    for (const int64_t i : drawn(number, seed))
      x.push_back(static_cast<float>(numbers[static_cast<size_t>(i)]));
    const auto size = static_cast<int64_t>(x.size());
    return {{{"x", from_vector(x, {size})}}, size};
  }
  Tensor loss(const Batch& batch) override {
    return mean(square(model()(batch["x"]) - 3 * batch["x"]));
  }
  Metrics validate() override { return {{.name = "val_loss", .value = loss(batch(1, 1)).item()}}; }

 protected:
  std::vector<double> read(const std::string& path) override {
    return path.empty() ? std::vector<double>{1, 2, 3, 4, 5} : std::vector<double>{7};
  }
  void use(std::vector<double> data) override { numbers = std::move(data); }
  std::unique_ptr<Line> make_model(Generator& generator) override {
    return std::make_unique<Line>(generator);
  }
};

TEST_CASE("a task of model, data, loss and metric trains, resumes and describes itself") {
  const Scratch scratch;
  LineTask task;
  task.load_data("");
  task.build(1);
  const double before = task.validate()[0].value;
  const TrainOutcome outcome = train_task(task, "", scratch.path("run"));
  CHECK(outcome.step == 8);
  CHECK(outcome.metrics[0].value < before);
  CHECK(task.describe_data() == Json(Json::Object{{"examples", 5}}));
  CHECK(task.facts() == Facts{{"model", "1 parameter"},
                              {"data", "5 to train on"},
                              {"recipe", "8 steps of 2 examples, learning rate 0.1 → 0.0001"}});
  // An epoch has every example once; another seed gives another order.
  std::multiset<double> epoch;
  for (int64_t number = 1; number <= 3; ++number)
    for (const double x : task.batch(number, 1)["x"].to_vector()) epoch.insert(x);
  CHECK(epoch == std::multiset<double>{1, 2, 3, 4, 5});
  std::vector<double> orders[2];
  for (const uint64_t seed : {1, 2})
    for (int64_t number = 1; number <= 9; ++number)
      for (const double x : task.batch(number, seed)["x"].to_vector())
        orders[seed - 1].push_back(x);
  CHECK(orders[0] != orders[1]);

  std::ostringstream out;
  task.show_sample(out);
  CHECK(out.str().empty());
  CHECK(error_of([&] { task.predict({"1"}, out); }) ==
        "[predict] line does not answer inputs: it can only be trained");
  CHECK(task.predict_options().names().empty());
}

TEST_CASE("a task whose later data change what its model knows is refused") {
  struct Forgetful : LineTask {
    Json::Object known() const override { return {{"first", numbers.at(0)}}; }
    void restore(const Json& data) override { numbers = {data["first"].as_double()}; }
  } task;
  task.load_data("");
  CHECK_NOTHROW(task.load_data(""));
  CHECK(error_of([&] { task.load_data("other"); }) ==
        "[task] line: use() changed what the model knows of its data. Only learn() and restore() "
        "may change it");
}

TEST_CASE("answers are lines, notes go to their own stream, and options are those of the task") {
  enum class Voice { low, high };
  struct Echo : LineTask {
    Voice voice = Voice::low;
    int64_t times = 1;
    void add_predict_options(Settings& options) override {
      options.add("times", times, "how often", 1, 3);
      options.add_choice("voice", voice, "how", {{"low", Voice::low}, {"high", Voice::high}});
    }
    std::string example_input() const override { return "hello"; }
    std::string answer(const std::string& input) override {
      std::string all = voice == Voice::high ? "^" : "";
      for (int64_t i = 0; i < times; ++i) all += input;
      return all;
    }
    void note(const std::string& input, std::ostream& notes) const override {
      notes << "heard " << input << "\n";
    }
  } task;
  std::ostringstream out, notes;
  task.predict({"a", " \t", "b"}, out, &notes);
  CHECK(out.str() == "a\n\nb\n");
  CHECK(notes.str() == "heard a\nheard b\n");
  Settings options = task.predict_options();
  options.set("times", "2");
  options.set("voice", "high");
  out.str("");
  task.predict({"ab"}, out);
  task.show_sample(out);
  CHECK(out.str() == "^abab\n  hello\n  ^hellohello\n");
  CHECK(options.get("voice") == "high");
  CHECK(options.value_name("times") == "N");
  CHECK(options.value_name("voice") == "low|high");
  CHECK(error_of([&] { options.set("times", "4"); }) ==
        "[predict] --times is '4', but must be a whole number from 1 to 3");
  CHECK(error_of([&] { options.set("voice", "hi"); }) ==
        "[predict] --voice is 'hi', but must be one of low, high");
  CHECK(error_of([&] { options.set("time", "1"); }) ==
        "[predict] line has no option '--time': did you mean 'times'? It has: times, voice");
}

}  // namespace
}  // namespace tarsier::zoo
