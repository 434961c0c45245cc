#pragma once
// Shared by the fuzz targets. Each is a file in this folder that defines read_input(), which passes
// the bytes to one of the project's readers. Invalid bytes must give an Error that says what is
// wrong. Everything else (another exception, a crash, a leak, more memory or time than
// tests/fuzz/run allows, a broken promise()) is a bug of the reader.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "autograd/base/error.h"

namespace tarsier::fuzz {

/// Defined by each target.
void read_input(std::string_view bytes);

/// An invariant of every input. Does not throw Error, which would be taken for the reader's.
inline void promise(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// A folder of this process, in memory if the system provides one.
class Folder {
 public:
  Folder() {
    std::error_code ignored;
    const std::filesystem::path memory = "/dev/shm";
    path_ =
        (std::filesystem::is_directory(memory, ignored) ? memory
                                                        : std::filesystem::temp_directory_path()) /
        ("tarsier-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name = "") const { return path_ / name; }

  /// Writes a file and returns its path.
  std::string write(const std::string& name, std::string_view bytes) const {
    const std::string file = path(name);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::FILE* out = std::fopen(file.c_str(), "wb");
    promise(out != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size() &&
                std::fclose(out) == 0,
            "the target's own file is written");
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline const Folder& folder() {
  static const Folder folder;
  return folder;
}

/// Removes the bytes before the first `separator`, and the separator, from `bytes`; returns them.
inline std::string_view take_part(std::string_view& bytes, char separator) {
  const size_t end = bytes.find(separator);
  const std::string_view part = bytes.substr(0, end);
  bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  return part;
}

/// Removes the first byte from `bytes` and returns it, as a choice; 0 if there is none.
inline unsigned take_byte(std::string_view& bytes) {
  if (bytes.empty()) return 0;
  const auto byte = static_cast<unsigned char>(bytes[0]);
  bytes.remove_prefix(1);
  return byte;
}

}  // namespace tarsier::fuzz

/// Called by libFuzzer. (Every target includes this header once, and is a separate program.)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    tarsier::fuzz::read_input({reinterpret_cast<const char*>(data), size});
  } catch (const tarsier::Error& error) {
    const std::string_view text = error.what();
    tarsier::fuzz::promise(text.starts_with("[") && text.find("] ") + 2 < text.size(),
                           "an error has a tag and says something");
  }
  return 0;
}
