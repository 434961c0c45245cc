// Watching the tape.
#include "autograd/tape/observer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "autograd/ops.h"

using namespace tarsier;

namespace {

/// Writes down what it is told.
struct Diary : TapeObserver {
  std::vector<std::string> recorded, started, ended, defined_in;
  std::vector<std::vector<double>> dys, grads;
  int references = 0, depth = 0, walks = 0;

  void on_record(const Recorded& r) override {
    recorded.push_back(r.node->name);
    const std::string file = r.defined_at.file_name();
    defined_in.push_back(file.substr(file.rfind('/') + 1));
  }
  void on_reference(const std::shared_ptr<Node>&, const ReferenceForm&) override { ++references; }
  void on_walk_start() override { ++depth, ++walks; }
  void on_walk_end() override { --depth; }
  void on_backward_start(const BackwardStart& s) override {
    started.push_back(s.node.name);
    dys.push_back(s.dys[0].defined() ? s.dys[0].to_vector() : std::vector<double>{});
  }
  void on_backward_end(const BackwardEnd& e) override {
    ended.push_back(e.node.name);
    grads.emplace_back();
    for (const Tensor& dx : e.grads) grads.back().push_back(dx.defined() ? sum(dx).item() : -1);
  }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_SUITE_BEGIN("observer");

TEST_CASE("an observer is told every node and its backward, with the gradients") {
  Diary diary;
  const Tensor x = tensor({1, 2}, f64).requires_grad_(), c = tensor({3, 4}, f64);
  {
    const ObserverScope scope(diary);
    sum(x * c).backward();
  }
  sum(x * c).backward();  // nobody watches any more
  CHECK(diary.recorded == Words{"mul", "sum"});
  CHECK(diary.started == Words{"sum", "mul"});
  CHECK(diary.ended == diary.started);
  CHECK(diary.dys == std::vector<std::vector<double>>{{1}, {1, 1}});
  CHECK(diary.grads == std::vector<std::vector<double>>{{2}, {7, -1}});  // c needs none
  CHECK(diary.defined_in == Words{"arithmetic.cpp", "reduce.cpp"});
  CHECK(diary.walks == 1);
  CHECK(diary.depth == 0);
}

TEST_CASE("an observer sees gradients in the shape of the input") {
  Diary diary;
  const Tensor row = tensor({1, 2}, f64).requires_grad_(), x = ones({3, 2}, f64);
  std::vector<Shape> shapes;
  struct Shapes : Diary {
    std::vector<Shape> all;
    void on_backward_end(const BackwardEnd& e) override {
      for (const Tensor& dx : e.grads)
        if (dx.defined()) all.push_back(dx.shape());
    }
  } observer;
  {
    const ObserverScope scope(observer);
    sum(x + row).backward();
  }
  CHECK(observer.all == std::vector<Shape>{Shape{3, 2}, Shape{2}});
}

TEST_CASE("a fused op shows its reference form, which gives the same") {
  struct Compare : Diary {
    Tensor y;
    double difference = -1;
    void on_reference(const std::shared_ptr<Node>&, const ReferenceForm& form) override {
      ++references;
      const ObserverScope nobody(nullptr);
      const NoGrad no_grad;
      difference = max(abs(form(inputs) - y)).item();
    }
    std::vector<Tensor> inputs;
    void on_record(const Recorded& r) override {
      Diary::on_record(r);
      inputs = r.inputs;
      y = r.outputs[0];
    }
  } observer;
  const Tensor x = randn({4, 5}, f64).requires_grad_();
  {
    const ObserverScope scope(observer);
    layer_norm(x, Tensor(), Tensor(), 1e-5);
    cross_entropy(x, tensor({0, 1, 2, 3}, i64));
    exp(x);  // not fused
  }
  CHECK(observer.references == 2);
  CHECK(observer.difference >= 0);
  CHECK(observer.difference < 1e-12);
}

TEST_CASE("an op with several outputs is told once, then its parts") {
  Diary diary;
  const Tensor x = ones({4}, f64).requires_grad_();
  {
    const ObserverScope scope(diary);
    const auto parts = split(x, 2);
    sum(parts[1]).backward();
  }
  CHECK(diary.recorded == Words{"split", "split", "split", "sum"});
  CHECK(diary.started == Words{"sum", "split", "split"});
}

TEST_CASE("walks end for the observer when a backward throws") {
  Diary diary;
  const ObserverScope scope(diary);
  const Tensor x = ones({2}, f64).requires_grad_();
  const Tensor y = record("broken", {x}, ones({2}, f64), Save{},
                          [](const Saved&, const Tensor&) -> Grads { return {Tensor()}; });
  CHECK_THROWS(sum(y).backward());
  CHECK(diary.walks == 1);
  CHECK(diary.depth == 0);
  CHECK(diary.ended == Words{"sum"});
}

TEST_SUITE_END();
