#include "zoo/data/embedded.h"

namespace tarsier::zoo {

std::string embedded_text() {
  std::string text;
  for (const EmbeddedFile& file : embedded_files()) {
    text += "// ---- ";
    text += file.path;
    text += " ----\n";
    text += file.text;
    text += "\n";
  }
  return text;
}

}  // namespace tarsier::zoo
