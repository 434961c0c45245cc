#pragma once
// Source text for the page: definitions of ops, and the files that call them. From the text that is
// embedded in the program, or from disk.

#include <optional>
#include <string>
#include <string_view>

#include "recording.h"

namespace tarsier::study {

/// The path of a source file inside this project ("zoo/gpt/model.h"), whatever folder the compiler
/// saw it in; the name itself for files of others.
std::string project_path(const std::string& file);

/// The text of a source file; nothing if it is neither embedded nor readable.
std::optional<std::string> source_text(const std::string& file);

/// The definition of an op: the comment above the function that holds `line`, the function, and
/// the functions of its backward right under it. For a function of one variable, its entry in
/// functions.h. Nothing if the source is not there.
std::optional<Excerpt> definition_of(const std::string& op, const std::string& file, int line);

/// A whole file, for the lines that call ops; nothing if it is not there, or is very long.
std::optional<Excerpt> whole_file(const std::string& file);

}  // namespace tarsier::study
