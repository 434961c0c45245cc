#include "zoo/zip/zip.h"

#include <algorithm>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/zip/checksum.h"
#include "zoo/zip/inflate.h"

namespace tarsier::zoo {

namespace {

constexpr std::string_view kMember = "PK\3\4", kEntry = "PK\1\2", kEndRecord = "PK\5\6",
                           kWideEnd = "PK\6\6", kLocator = "PK\6\7";
constexpr uint64_t kMemberSize = 30, kEntrySize = 46, kEndSize = 22, kWideEndSize = 56,
                   kLocatorSize = 20;
constexpr uint64_t kLongestComment = 0xFFFF;
/// A number of 32 bits that says: it is among the numbers of 64.
constexpr uint64_t kWide = 0xFFFFFFFF;
constexpr uint64_t kWideField = 1;  // the kind of an entry's extra field with these numbers

/// What may be inflated in all: this much, and a multiple of the file. Weights do not shrink more.
constexpr uint64_t kAlwaysInflated = 64 << 20, kInflatedPerByte = 16;

}  // namespace

template <class... Parts>
void ZipFile::require(bool condition, uint64_t at, const Parts&... parts) const {
  if (!condition) [[unlikely]]
    fail("zip", path_, ", byte ", at, ": ", parts...);
}

/// The number of that many bytes, lowest first.
uint64_t ZipFile::number(uint64_t at, int bytes) const {
  const uint64_t size = file_->size();
  require(at <= size && size - at >= static_cast<uint64_t>(bytes), at,
          "a number should be here, and the file has ", size, " bytes: is it cut off?");
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i)
    value = value << 8 | static_cast<uint8_t>(file_->data()[at + static_cast<uint64_t>(i)]);
  return value;
}

bool ZipFile::is_at(std::string_view signature, uint64_t at) const {
  return at <= file_->size() && file_->text().substr(at).starts_with(signature);
}

ZipFile::ZipFile(const std::string& path)
    : path_(path), file_(std::make_shared<const MappedFile>(path)) {
  const Directory directory = find_directory();
  uint64_t at = directory.begin;
  const uint64_t end = directory.begin + directory.size;
  while (at < end) members_.push_back(read_entry(at, end));
  require(members_.size() == directory.count, directory.begin, "the directory should have ",
          directory.count, " members, and has ", members_.size());
  check_members(directory.begin);
  for (size_t i = 0; i < members_.size(); ++i)
    require(index_.emplace(members_[i].name, i).second, members_[i].at, "the member '",
            members_[i].name, "' is there twice");
}

/// The end record is the last whose comment ends with the file.
ZipFile::Directory ZipFile::find_directory() const {
  const uint64_t size = file_->size();
  require(is_at(kMember, 0) || is_at(kEndRecord, 0), 0, "not a zip archive, which begins with PK");
  require(size >= kEndSize, size, "cut off: there is no directory at the end");
  const uint64_t last = size - kEndSize, first = last - std::min(last, kLongestComment);
  uint64_t at = last;
  while (!(is_at(kEndRecord, at) && number(at + 20, 2) == last - at)) {
    require(at > first, size, "cut off: there is no directory at the end");
    --at;
  }
  Directory found{number(at + 16, 4), number(at + 12, 4), number(at + 10, 2)};
  require(number(at + 4, 4) == 0 && number(at + 8, 2) == found.count, at,
          "part of an archive on several disks");
  uint64_t end = at;
  if (at >= kLocatorSize && is_at(kLocator, at - kLocatorSize)) {
    end = number(at - kLocatorSize + 8, 8);
    found = wide_directory(found, end);
    require(end == at - kLocatorSize - kWideEndSize, end, "the record of 64-bit sizes is not ",
            "before the end");
  }
  require(found.begin <= end && found.size == end - found.begin, at, "the directory should be the ",
          found.size, " bytes from byte ", found.begin, ", but ends at byte ", end);
  return found;
}

/// What the record of 64-bit sizes says; the end record must agree or say that it cannot.
ZipFile::Directory ZipFile::wide_directory(const Directory& narrow, uint64_t end) const {
  require(is_at(kWideEnd, end), end, "the record of 64-bit sizes should be here");
  require(number(end + 16, 8) == 0, end, "part of an archive on several disks");
  const Directory wide{number(end + 48, 8), number(end + 40, 8), number(end + 32, 8)};
  const auto agrees = [](uint64_t small, uint64_t large, uint64_t none) {
    return small == none || small == large;
  };
  require(agrees(narrow.begin, wide.begin, kWide) && agrees(narrow.size, wide.size, kWide) &&
              agrees(narrow.count, wide.count, 0xFFFF) && wide.count == number(end + 24, 8),
          end, "two different directories");
  return wide;
}

/// The entry of the directory at byte `at`, which becomes that of the next.
ZipFile::Member ZipFile::read_entry(uint64_t& at, uint64_t end) const {
  require(end - at >= kEntrySize && is_at(kEntry, at), at, "an entry of the directory should ",
          "begin here");
  const uint64_t name_size = number(at + 28, 2), extra_size = number(at + 30, 2);
  const uint64_t size = kEntrySize + name_size + extra_size + number(at + 32, 2);
  require(size <= end - at, at, "an entry of ", size, " bytes does not fit the directory");
  const std::string name(file_->text().substr(at + kEntrySize, name_size));
  const uint64_t method = number(at + 10, 2);
  require((number(at + 8, 2) & 1) == 0, at, "the member '", name, "' is encrypted");
  require(method == 0 || method == 8, at, "the member '", name, "' is packed by method ", method,
          "; stored (0) and deflated (8) can be read");

  uint64_t unpacked = number(at + 24, 4), packed = number(at + 20, 4), header = number(at + 42, 4);
  const uint64_t extra = at + kEntrySize + name_size;
  for (uint64_t field = extra; field + 4 <= extra + extra_size;) {
    uint64_t value = field + 4;
    const uint64_t next = value + number(field + 2, 2);
    require(next <= extra + extra_size, field, "a field of '", name, "' does not fit its entry");
    if (number(field, 2) == kWideField)
      for (uint64_t* wide : {&unpacked, &packed, &header})
        if (*wide == kWide && value + 8 <= next) {
          *wide = number(value, 8);
          value += 8;
        }
    field = next;
  }
  require(header < file_->size() && is_at(kMember, header), at, "the member '", name,
          "' should begin at byte ", header, ", and does not");
  require(number(header + 26, 2) == name_size &&
              file_->text().substr(header + kMemberSize, name_size) == name &&
              number(header + 8, 2) == method,
          header, "a member of another name or method than '", name, "', which the directory says");
  const uint64_t begin = header + kMemberSize + name_size + number(header + 28, 2);
  require(begin <= file_->size() && packed <= file_->size() - begin, header, "the member '", name,
          "' of ", packed, " bytes goes beyond the end of the file");
  require(method == 8 || packed == unpacked, at, "the member '", name, "' is stored in ", packed,
          " bytes, and should have ", unpacked);
  at += size;
  return {name,
          method == 8,
          header,
          begin,
          packed,
          unpacked,
          static_cast<uint32_t>(number(at - size + 16, 4))};
}

/// No member may be in another or in the directory, which begins at `end`, and what is deflated must
/// have a bearable size.
void ZipFile::check_members(uint64_t end) {
  std::ranges::stable_sort(members_, {}, &Member::at);
  for (size_t i = 1; i < members_.size(); ++i) {
    const Member& before = members_[i - 1];
    require(before.begin + before.stored <= members_[i].at, members_[i].at, "the member '",
            members_[i].name, "' begins inside '", before.name, "'");
  }
  require(members_.empty() || members_.back().begin + members_.back().stored <= end, end,
          "the directory begins inside a member");
  uint64_t room = kAlwaysInflated + kInflatedPerByte * file_->size();
  for (const Member& member : members_) {
    if (!member.deflated) continue;
    require(member.size <= room, member.at, "the member '", member.name, "' would be inflated to ",
            member.size, " bytes, of a file of ", file_->size(), ": is that what it should be?");
    room -= member.size;
  }
}

const ZipFile::Member* ZipFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &members_[found->second];
}

ZipFile::Bytes ZipFile::read(const Member& member, bool checked) const {
  const std::string_view stored = file_->text().substr(member.begin, member.stored);
  Bytes bytes{file_->data() + member.begin, member.stored, file_};
  if (member.deflated) {
    const std::string source = concat(path_, "', member '", member.name);
    auto data = std::make_shared<std::string>(inflate_raw(stored, member.size, source));
    bytes = {data->data(), data->size(), data};
  }
  require((!checked && !member.deflated) || crc32(bytes.text()) == member.crc, member.begin,
          "the checksum of '", member.name, "' is wrong: the file is damaged");
  return bytes;
}

}  // namespace tarsier::zoo
