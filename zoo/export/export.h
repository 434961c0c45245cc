#pragma once
// A run in the forms of other programs: `tarsier export DIR --as KIND`.

#include <string>
#include <vector>

#include "../task/run_folder.h"

namespace tarsier::zoo {

/// A form that a run can be exported in.
struct ExportKind {
  std::string name;  ///< after --as: "huggingface"
  std::string help;  ///< what it is
  /// Writes the files of the run into the folder, which exists, and returns remarks for the user.
  /// Throws Error for what the form cannot express.
  std::vector<std::string> (*write)(const RunFolder& run, const std::string& folder);
};

/// All of them, in the order of the help page.
const std::vector<ExportKind>& export_kinds();

/// The one of that name. Throws UsageError that lists all names.
const ExportKind& find_export_kind(const std::string& name);

/// Exports the run into the new folder `out`, which appears complete or not at all. Returns remarks
/// for the user. Throws Error("export"), and what the kind throws.
std::vector<std::string> export_run(const RunFolder& run, const ExportKind& kind,
                                    const std::string& out);

}  // namespace tarsier::zoo
