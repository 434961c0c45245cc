#include "zoo/zip/write.h"

#include "autograd/base/error.h"
#include "zoo/zip/checksum.h"

namespace tarsier::zoo {

namespace {

constexpr uint64_t kAlignment = 64, kMemberSize = 30, kFieldSize = 4;
constexpr uint64_t kMostBytes = 0xFFFFFFFF, kMostMembers = 0xFFFF;
constexpr uint64_t kUtf8Names = 0x800;

/// Numbers of 2 or 4 bytes in a row, lowest first.
class Record {
 public:
  explicit Record(std::string_view signature) : bytes_(signature) {}
  Record& two(uint64_t value) { return add(value, 2); }
  Record& four(uint64_t value) { return add(value, 4); }
  const std::string& bytes() const { return bytes_; }

 private:
  Record& add(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 255);
    return *this;
  }
  std::string bytes_;
};

/// What headers and entries of the directory share: flags, method, time and date, checksum, sizes.
void add_facts(Record& record, uint32_t crc, uint64_t size) {
  record.two(kUtf8Names).two(0).two(0).two(0).four(crc).four(size).four(size);
}

}  // namespace

ZipWriter::ZipWriter(const std::string& path) : path_(path), file_(path) {}

void ZipWriter::write(std::string_view bytes) {
  written_ += bytes.size();
  check(written_ < kMostBytes, "zip", path_,
        ": archives of 4 GB or more are not written: export a smaller model");
  file_.write(bytes);
}

void ZipWriter::add(const std::string& name, std::string_view bytes) {
  const Entry entry{name, crc32(bytes), bytes.size(), written_};
  const uint64_t before = written_ + kMemberSize + name.size() + kFieldSize;
  const uint64_t gap = (kAlignment - before % kAlignment) % kAlignment;
  Record header("PK\3\4");
  header.two(20);
  add_facts(header, entry.crc, entry.size);
  header.two(name.size()).two(kFieldSize + gap);
  Record field("FB");
  field.two(gap);
  write(concat(header.bytes(), name, field.bytes(), std::string(gap, 'Z')));
  write(bytes);
  entries_.push_back(entry);
  check(entries_.size() < kMostMembers, "zip", path_, ": too many members");
}

void ZipWriter::commit() {
  const uint64_t begin = written_;
  for (const Entry& entry : entries_) {
    Record record("PK\1\2");
    record.two(20).two(20);
    add_facts(record, entry.crc, entry.size);
    record.two(entry.name.size()).two(0).two(0).two(0).two(0).four(0).four(entry.at);
    write(concat(record.bytes(), entry.name));
  }
  Record end("PK\5\6");
  end.two(0).two(0).two(entries_.size()).two(entries_.size());
  end.four(written_ - begin).four(begin).two(0);
  write(end.bytes());
  file_.commit();
}

}  // namespace tarsier::zoo
