#pragma once
// The data set that needs no download: the text of tarsier itself.

#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// One file of the project, as it was when the program was built.
struct EmbeddedFile {
  std::string_view path;  ///< relative to the project's folder
  std::string_view text;
};

/// All sources, pages and build files of the project, sorted by path. Defined in a file that
/// zoo/embed.cmake makes at build time.
const std::vector<EmbeddedFile>& embedded_files();

/// Their texts one after another, each under a line that names the file.
std::string embedded_text();

}  // namespace tarsier::zoo
