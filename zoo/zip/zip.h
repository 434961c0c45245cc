#pragma once
// Zip archives, for reading: where the members of a file are, and their bytes.
//
//   member …   a header with its name, then its data
//   directory  an entry per member: name, sizes, checksum, where its header is
//   end        where the directory is; with 64-bit sizes, that stands in a record before the end
// Read are members that are stored or deflated, with sizes of 32 or 64 bits. The directory counts;
// of the headers of the members only the name and the length, which must agree with it.
// Source: PKWARE, "APPNOTE.TXT", .ZIP file format specification 6.3.10, 2022.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../../autograd/io/file.h"

namespace tarsier::zoo {

/// An archive, mapped. Nothing is read of a member before it is asked for.
class ZipFile {
 public:
  struct Member {
    std::string name;
    bool deflated;
    size_t at;      ///< the byte of the file where its header begins
    size_t begin;   ///< where its data begin
    size_t stored;  ///< its bytes in the file
    size_t size;    ///< its bytes
    uint32_t crc;   ///< CRC-32 of its bytes
  };
  /// Bytes that stay valid as long as `owner`. Writing to them changes a private copy.
  struct Bytes {
    char* data;
    size_t size;
    std::shared_ptr<const void> owner;

    std::string_view text() const { return {data, size}; }
  };

  /// Throws Error("zip"), which names the file and the byte, for a file that is not an archive, is
  /// cut off, is one of several disks, or has a member that is encrypted, packed in another way, in
  /// the bytes of another, or twice; and if what is deflated would take more than 64 MB and
  /// 16 times the file's size. Throws Error("file").
  explicit ZipFile(const std::string& path);
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  const std::string& path() const { return path_; }
  size_t size() const { return file_->size(); }
  /// In the order of their data.
  const std::vector<Member>& members() const { return members_; }
  /// The member of that name, or null.
  const Member* find(std::string_view name) const;

  /// The bytes of a member: mapped, or inflated.
  /// Throws Error("data") for damaged deflated data, and Error("zip") for a wrong checksum. That of a
  /// stored member is compared only with `checked`, since that reads all of it.
  Bytes read(const Member& member, bool checked) const;

 private:
  struct Directory {
    uint64_t begin, size, count;
  };
  template <class... Parts>
  void require(bool condition, uint64_t at, const Parts&... parts) const;
  uint64_t number(uint64_t at, int bytes) const;
  bool is_at(std::string_view signature, uint64_t at) const;
  Directory find_directory() const;
  Directory wide_directory(const Directory& narrow, uint64_t end) const;
  Member read_entry(uint64_t& at, uint64_t end) const;
  void check_members(uint64_t end);

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<Member> members_;
  std::map<std::string_view, size_t> index_;
};

}  // namespace tarsier::zoo
