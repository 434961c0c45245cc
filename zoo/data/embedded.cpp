#include "zoo/data/embedded.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace tarsier::zoo {

bool is_decoration(std::string_view line) {
  for (const char* run : {"----", "====", "****", "~~~~"})
    if (line.find(run) != line.npos) return true;
  if (line.starts_with('|') && line.find_first_not_of("|-: ") == line.npos) return true;
  std::string lower(line);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower.find("licen") != lower.npos || lower.find("copyright") != lower.npos;
}

std::string embedded_text() {
  std::string text;
  for (const EmbeddedFile& file : embedded_files()) {
    text.append("// ").append(file.path).append("\n");
    for (std::string_view rest = file.text; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (is_decoration(line)) continue;
      if (line.empty() && text.ends_with("\n\n")) continue;  // decoration stood between
      text.append(line).append("\n");
    }
    if (!text.ends_with("\n\n")) text += "\n";
  }
  return text;
}

}  // namespace tarsier::zoo
