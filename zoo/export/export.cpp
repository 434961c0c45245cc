#include "zoo/export/export.h"

#include "zoo/base/usage_error.h"
#include "zoo/export/hugging_face.h"
#include "zoo/export/nanogpt.h"
#include "zoo/export/new_folder.h"
#include "zoo/export/tensorboard.h"
#include "zoo/export/torch.h"

namespace tarsier::zoo {

namespace {

std::vector<std::string> write_tensorboard(const RunFolder& run, const std::string& folder) {
  export_tensorboard(run.file("metrics.jsonl"), folder);
  return {};
}

}  // namespace

const std::vector<ExportKind>& export_kinds() {
  static const std::vector<ExportKind> kinds = {
      {"huggingface", "a folder that transformers' AutoModel….from_pretrained loads",
       export_hugging_face},
      {"torch", "a state dict and the model in plain PyTorch; of gpt also a train.py for torchrun",
       export_torch},
      {"nanogpt", "a checkpoint that nanoGPT's train.py goes on from", export_nanogpt},
      {"tensorboard", "the log of the training as an event file of TensorBoard", write_tensorboard},
  };
  return kinds;
}

const ExportKind& find_export_kind(const std::string& name) {
  std::vector<std::string> names;
  for (const ExportKind& kind : export_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  usage_fail("export", "--as has no '", name, "'", among(name, names));
}

std::vector<std::string> export_run(const RunFolder& run, const ExportKind& kind,
                                    const std::string& out) {
  run.refuse_int8("export", "exported");
  NewFolder folder(out);
  std::vector<std::string> remarks = kind.write(run, folder.place());
  folder.commit();
  return remarks;
}

}  // namespace tarsier::zoo
