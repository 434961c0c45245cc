// Zip archives: those of PyTorch and of Python, and hostile ones.
#include "zoo/zip/zip.h"

#include <doctest/doctest.h>

#include "autograd/io/file.h"
#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/archive.h"
#include "tests/zoo/scratch.h"
#include "zoo/zip/deflate.h"
#include "zoo/zip/inflate.h"

namespace tarsier::zoo {
namespace {

std::string saved(const std::string& name) {
  return source_file("tests/golden/torch/" + name).string();
}

/// The error of an archive of these bytes, whose members are all read; or "no error".
std::string error_with(const std::string& bytes) {
  const Scratch folder;
  const std::string path = folder.write("x.zip", bytes);
  return error_of([&] {
    const ZipFile file(path);
    for (const ZipFile::Member& member : file.members()) file.read(member, true);
  });
}
std::string error_with(const std::vector<ZipPart>& parts) { return error_with(archive_of(parts)); }

void check_refused(const std::string& error, const std::string& part) {
  CAPTURE(error);
  CAPTURE(part);
  CHECK(error.find(part) != error.npos);
}

/// Deflate without zlib's frame, as archives have it.
std::string deflated(const std::string& data) {
  const std::string stream = deflate(data);
  return stream.substr(2, stream.size() - 6);
}

TEST_CASE("an archive of torch.save has its members, and the same deflated by Python") {
  const ZipFile stored(saved("state.pt")), packed(saved("deflated.pt"));
  REQUIRE(stored.members().size() == packed.members().size());
  int deflated = 0;
  for (const ZipFile::Member& member : stored.members()) {
    const ZipFile::Member* other = packed.find("any" + member.name.substr(member.name.find('/')));
    REQUIRE(other != nullptr);
    CHECK_FALSE(member.deflated);
    deflated += other->deflated;
    CHECK(stored.read(member, true).text() == packed.read(*other, true).text());
  }
  CHECK(deflated == static_cast<int>(packed.members().size()));
  CHECK(stored.read(*stored.find("state/byteorder"), true).text() == "little");
  CHECK(stored.find("byteorder") == nullptr);
}

TEST_CASE("an archive made by hand reads, also an empty one") {
  ZipPart part{"c", deflated("abcabcabc"), 8, 9};
  part.crc = crc32("abcabcabc");
  CHECK(error_with({{"a", "bytes"}, {"b", ""}, part}) == "no error");
  CHECK(error_with(std::vector<ZipPart>{}) == "no error");
}

TEST_CASE("a file that is cut off anywhere is refused") {
  const std::string whole = read_file(saved("state.pt"));
  for (size_t size = 0; size < whole.size(); size += 41)
    CHECK(error_with(whole.substr(0, size)) != "no error");
  check_refused(error_with(whole.substr(0, whole.size() - 1)), "there is no directory at the end");
  check_refused(error_with(std::string(100, 'x')), "byte 0: not a zip archive");
}

TEST_CASE("a wrong byte anywhere gives an error or nothing, never a crash") {
  std::string bytes = read_file(saved("deflated.pt"));
  int refused = 0;
  for (size_t at = 0; at < bytes.size(); at += 9) {
    const char before = bytes[at];
    bytes[at] = static_cast<char>(~before);
    const std::string error = error_with(bytes);
    refused += error.starts_with("[zip] ") || error.starts_with("[data] ");
    CHECK_MESSAGE((error == "no error" || error.starts_with("[")), error);
    bytes[at] = before;
  }
  CHECK(refused > 100);
}

TEST_CASE("members in each other, twice, or in the directory are refused") {
  const std::string inner = archive_of({{"b", "inside"}});
  const std::string nested = inner.substr(0, inner.find("PK\1\2"));
  ZipPart hidden{"b", "inside"};
  hidden.at = 30 + 1;  // in the data of the first
  check_refused(error_with({{"a", nested}, hidden}), "the member 'b' begins inside 'a'");
  check_refused(error_with({{"a", "x"}, {"a", "y"}}), "the member 'a' is there twice");
  ZipPart again{"a", "x"};
  again.at = 0;
  check_refused(error_with({{"a", "x"}, again}), "the member 'a' begins inside 'a'");
  ZipPart other{"b", "x"};
  other.at = 0;
  check_refused(error_with({{"a", "x"}, other}), "a member of another name or method than 'b'");
  ZipPart last{"a", "x"};
  last.size = last.stored = 40;
  check_refused(error_with({last}), "the directory begins inside a member");
}

TEST_CASE("absurd sizes, other methods and secrets are refused by byte and member") {
  ZipPart large{"a", "x"};
  large.size = large.stored = 0xFFFFFFF0;
  check_refused(error_with({large}), "byte 0: the member 'a' of 4294967280 bytes goes beyond");
  check_refused(error_with({{"a", "xyz", 0, 2}}), "is stored in 3 bytes, and should have 2");
  check_refused(error_with({{"a", "x", 12}}), "the member 'a' is packed by method 12");
  ZipPart secret{"a", "x"};
  secret.flags = 1;
  check_refused(error_with({secret}), "the member 'a' is encrypted");
  ZipPart wrong{"a", "x"};
  wrong.crc = 1;
  check_refused(error_with({wrong}), "the checksum of 'a' is wrong");
  ZipPart elsewhere{"a", "x"};
  elsewhere.at = 7;
  check_refused(error_with({elsewhere}), "the member 'a' should begin at byte 7, and does not");
  check_refused(error_with({{"a", "x", 8, 1 << 30}}), "would be inflated to 1073741824 bytes");
  check_refused(error_with({{"a", "x", 8, 60 << 20}}), "there are fewer bytes than expected");
  // Many that are each small enough.
  std::vector<ZipPart> many;
  for (const char* name : {"a", "b", "c"}) many.push_back({name, "x", 8, 30 << 20});
  check_refused(error_with(many), "the member 'c' would be inflated");
}

TEST_CASE("a directory that is not what the end says is refused") {
  const std::string good = archive_of({{"a", "x"}});
  const size_t end = good.size() - 22;
  const auto with = [&](size_t at, const std::string& bytes) {
    return error_with(std::string(good).replace(end + at, bytes.size(), bytes));
  };
  CHECK(with(0, "") == "no error");
  check_refused(with(10, little(2, 2)), "several disks");
  check_refused(with(8, little(2, 2) + little(2, 2)), "should have 2 members, and has 1");
  check_refused(with(16, little(1, 4)), "the directory should be the 47 bytes from byte 1");
  check_refused(with(12, little(46, 4)), "but ends at byte");
  check_refused(with(4, little(1, 2)), "several disks");
  check_refused(error_with(good + "x"), "there is no directory at the end");

  // PyTorch's archives have two directories' ends, which must agree.
  std::string wide = read_file(saved("state.pt"));
  const size_t record = wide.rfind("PK\6\6");
  REQUIRE(record != wide.npos);
  wide[record + 48] = static_cast<char>(wide[record + 48] + 1);
  check_refused(error_with(wide), "two different directories");
}

TEST_CASE("deflated data end where they should") {
  const std::string packed = deflated("abcabcabcabc");
  CHECK(inflate_raw(packed, 12, "x") == "abcabcabcabc");
  check_error("bytes follow their end", [&] { inflate_raw(packed + "x", 12, "x"); });
  check_error("fewer bytes than expected", [&] { inflate_raw(packed, 13, "x"); });
  check_error("more bytes than expected", [&] { inflate_raw(packed, 11, "x"); });
  check_error("fewer bytes than expected", [&] { inflate_raw(packed, size_t{1} << 60, "x"); });
}

}  // namespace
}  // namespace tarsier::zoo
