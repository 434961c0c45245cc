#pragma once
// A part of a recording: one module.

#include <string>
#include <vector>

#include "recording.h"

namespace tarsier::study {

/// What is left if only the modules under `path` matter ("transformer.h.0"): their nodes, the loss,
/// and as inputs the nodes that feed them.
/// Throws Error("study") that lists modules if there is none of that name.
Recording only_module(const Recording& recording, const std::string& path);

/// The paths of modules that ran, and of those that hold them: up to `depth` names deep, in order.
std::vector<std::string> module_paths(const Recording& recording, int depth);

}  // namespace tarsier::study
