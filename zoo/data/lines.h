#pragma once
// Text files as lines.

#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// The lines of `text` without their ends, LF or CRLF. The last line may lack its end; an end at
/// the end of the text begins no further line. Empty lines count: line i of the file is element
/// i − 1. Nothing else ends a line: not a lone CR, not U+2028.
std::vector<std::string> split_lines(std::string_view text);

/// The lines of the UTF-8 file `path`. Throws Error("data") as read_text_file() and check_utf8().
std::vector<std::string> read_lines(const std::string& path);

/// Whether `line` is empty or Unicode white space only.
bool is_blank(std::string_view line);

/// The first 40 bytes or so of `text`, for messages: "It was a dark and stormy night, and the r…".
/// Control characters become �: a message ends at a zero byte, and a terminal obeys others.
std::string beginning_of(const std::string& text);

/// Whether there is a file at `path` that is not a folder.
bool file_exists(const std::string& path);

/// What an input of `predict` stands for: the text of the file that it names, or itself. A text has
/// several words, so that what looks like a name and is none is a mistake. Throws Error("predict")
/// for that, and Error("data") for a file that is empty or no UTF-8.
std::string text_of_input(const std::string& input);

/// The names of the files and folders in `folder`, sorted. Throws Error("data") if it is not a
/// folder, or cannot be read.
std::vector<std::string> names_in(const std::string& folder);

/// "'train.de', 'train.en'": at most ten of names_in(), for messages about a missing file; "no
/// files" if it is empty.
std::string describe_folder(const std::string& folder);

}  // namespace tarsier::zoo
