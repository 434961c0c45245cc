#pragma once
// Zip archives, for writing.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/io/file.h"

namespace tarsier::zoo {

/// Writes an archive whose members are stored, not deflated, each with its data at a multiple of 64
/// bytes: so PyTorch maps them. The file appears complete or not at all.
///   ZipWriter zip("a.zip");  zip.add("a/text", "hello");  zip.commit();
/// The gap before the data is an extra field of the kind "FB", filled with Z, as PyTorch writes it.
/// Throws Error("file"), and Error("zip") for a file of 4 GB or more, and 65,535 members or more.
/// Source: PKWARE, "APPNOTE.TXT", .ZIP file format specification 6.3.10, 2022.
class ZipWriter {
 public:
  explicit ZipWriter(const std::string& path);

  /// Adds a member. Its name must be new.
  void add(const std::string& name, std::string_view bytes);
  void commit();

 private:
  struct Entry {
    std::string name;
    uint32_t crc;
    uint64_t size, at;
  };
  void write(std::string_view bytes);

  std::string path_;
  AtomicFile file_;
  uint64_t written_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace tarsier::zoo
