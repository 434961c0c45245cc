#pragma once
// A run of gpt as nanoGPT goes on with it (https://github.com/karpathy/nanoGPT).

#include <string>
#include <vector>

#include "../task/run_folder.h"

namespace tarsier::zoo {

/// Writes into `folder`, and returns remarks for the user:
///   ckpt.pt              weights of the last step, state of AdamW, sizes, step, loss
///   train.bin, val.bin   the data as tokens, if they are still there
///   meta.pkl             characters and their numbers, for sample.py
///   resume.py            the settings: python train.py FOLDER/resume.py
/// Throws Error("export") that names the module which nanoGPT lacks, and Error("run") without a
/// checkpoint.
std::vector<std::string> export_nanogpt(const RunFolder& run, const std::string& folder);

}  // namespace tarsier::zoo
