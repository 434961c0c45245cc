#include "tests/data.h"

namespace tarsier {

std::filesystem::path source_file(const std::string& name) {
  return std::filesystem::path(TARSIER_SOURCE_DIR) / name;
}

std::string tarsier_program() { return "'" TARSIER_PROGRAM "'"; }

std::string self_attention_program() { return "'" TARSIER_SELF_ATTENTION "'"; }

}  // namespace tarsier
