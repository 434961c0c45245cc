#include "zoo/study/recorder.h"

#include "autograd/io/file.h"
#include "zoo/study/assembly.h"
#include "zoo/study/page.h"
#include "zoo/study/proof.h"

namespace tarsier::study {

struct Recorder::Impl {
  explicit Impl(bool inside) : log(inside) {}
  TapeLog log;
  std::optional<ObserverScope> scope;
  Names names;
  std::function<Tensor()> loss;
};

Recorder::Recorder(RecorderOptions options) : impl_(std::make_unique<Impl>(options.inside)) {
  check(detail::tape_observer == nullptr, "study",
        "somebody already observes this thread (another Recorder?): stop() it first");
  impl_->scope.emplace(impl_->log);
}
Recorder::~Recorder() = default;

void Recorder::name(const std::string& name, const Tensor& x) {
  check(x.defined(), "study", "name(\"", name, "\"): the tensor is undefined");
  impl_->names.emplace_back(name, x.detach());
}

void Recorder::watch(const nn::Module& module) {
  for (const auto& [name, x] : module.named_parameters()) this->name(name, x);
  for (const auto& [name, x] : module.state_dict()) this->name(name, x);
}

void Recorder::prove(std::function<Tensor()> loss) { impl_->loss = std::move(loss); }

void Recorder::stop() { impl_->scope.reset(); }

Recording Recorder::recording() {
  Recording recording = assemble(impl_->log, impl_->names).recording;
  if (impl_->loss) {
    add_proof(recording, impl_->loss);
  } else {
    recording.proof_missing = "no function computes the loss again in f64: give one to prove()";
  }
  return recording;
}

void Recorder::write(const std::string& path) {
  write_file_atomically(path, study_page(recording()));
}

}  // namespace tarsier::study
