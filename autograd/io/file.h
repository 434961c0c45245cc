#pragma once
// Files: written completely or not at all, read completely, or mapped into memory.

#include <cstddef>
#include <string>
#include <string_view>

namespace tarsier {

/// Writes a temporary file next to the final path and renames it when it is complete: readers of
/// `path` find the old file or the new one, and nothing in between, even if the process is killed
/// or the disk is full.
///   AtomicFile file(path);  file.write(a);  file.write(b);  file.commit();
/// All throw Error("file") with the path and the system's reason.
class AtomicFile {
 public:
  /// Opens `path`.tmp.<process id>.<number>. Follows links to a regular file, or to a free name.
  explicit AtomicFile(const std::string& path);
  /// Removes what was written, unless commit() was called.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Waits until the data is on the disk and renames the file into place.
  void commit();

 private:
  std::string path_, temporary_;
  int file_ = -1;
};

/// The whole of `bytes` as the new content of `path`, as AtomicFile does it.
void write_file_atomically(const std::string& path, std::string_view bytes);

/// The content of a regular file. Throws Error("file").
std::string read_file(const std::string& path);

/// A file seen as memory. Its pages are read when they are touched. Writing to the memory changes a
/// private copy, never the file. The content stays when another file is renamed over this one; it
/// must not be cut short in place meanwhile.
class MappedFile {
 public:
  /// Throws Error("file").
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view text() const { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tarsier
