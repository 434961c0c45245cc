#pragma once
// The data set that needs no download: the text of tarsier itself.

#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// One file of the project, as of the build.
struct EmbeddedFile {
  std::string_view path;  ///< relative to the project's folder
  std::string_view text;
};

/// All sources, READMEs and build files of the project, sorted by path. Defined in a file that
/// zoo/embed.cmake generates at build time.
const std::vector<EmbeddedFile>& embedded_files();

/// Whether a line has nothing to learn from: a rule drawn across the page, with or without a
/// heading, the line under a table's head, or a line about a licence.
bool is_decoration(std::string_view line);

/// Their texts one after another, each under a line that names the file, without decoration.
std::string embedded_text();

}  // namespace tarsier::zoo
