#include "zoo/report/files.h"

#include "autograd/base/error.h"

namespace tarsier::zoo {

std::string page_file(const std::string& path) {
  for (const EmbeddedFile& file : page_files())
    if (file.path == path) return std::string(file.text);
  fail("report", "the program was built without ", path);
}

}  // namespace tarsier::zoo
