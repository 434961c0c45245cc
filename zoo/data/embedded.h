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

/// Whether a line has nothing to learn from: one that is drawn across the page, with a heading in
/// it or without, or between the rows of a table, or about a licence.
bool is_decoration(std::string_view line);

/// Their texts one after another, each under a line that names the file, without decoration.
std::string embedded_text();

}  // namespace tarsier::zoo
