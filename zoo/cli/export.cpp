#include <iostream>

#include "zoo/base/usage_error.h"
#include "zoo/cli/commands.h"
#include "zoo/export/export.h"

namespace tarsier::zoo {

namespace {

int run(const Arguments& arguments, const std::string&) {
  const auto as = arguments.text("as");
  if (!as) usage_fail("export", "--as KIND is missing: `tarsier export --help` lists the kinds");
  const ExportKind& kind = find_export_kind(*as);
  const RunFolder folder = RunFolder::open(arguments.positional()[0]);
  const std::string out = arguments.text("out").value_or(folder.file(kind.name));
  const std::vector<std::string> remarks = export_run(folder, kind, out);
  std::cout << "Wrote " << out << ", " << kind.help << ".\n";
  for (const std::string& remark : remarks) std::cout << wrapped(remark);
  return 0;
}

}  // namespace

Command export_command() {
  CommandSpec spec;
  spec.name = "export";
  spec.arguments = "DIR --as KIND";
  spec.min_arguments = spec.max_arguments = 1;
  spec.summary = "write the trained model in DIR for other programs";
  std::string kinds;
  for (const ExportKind& kind : export_kinds())
    kinds += concat(kinds.empty() ? "" : "; ", kind.name, ": ", kind.help);
  spec.options = {{"as", "KIND", kinds},
                  {"out", "DIR", "new folder for the files; default: DIR/KIND"}};
  spec.details =
      "The folder appears complete or not at all, and an existing one is never overwritten. A "
      "model "
      "with a part that the other program lacks is refused, and the part named.";
  return {spec, run};
}

}  // namespace tarsier::zoo
