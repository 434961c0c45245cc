#pragma once
// Style sheets, scripts and markup of the pages, and scripts of exports, as files of the project that
// the build embeds.

#include <string>
#include <vector>

#include "../data/embedded.h"

namespace tarsier::zoo {

/// All *.css, *.js and *.html of the zoo, and *.py of zoo/export, sorted by path. Defined in a file that zoo/embed.cmake
/// generates at build time.
const std::vector<EmbeddedFile>& page_files();

/// The text of one of them: page_file("zoo/report/style.css"). Throws Error("report") if there is
/// none of that name.
std::string page_file(const std::string& path);

}  // namespace tarsier::zoo
