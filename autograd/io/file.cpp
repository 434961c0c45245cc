#include "autograd/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "autograd/base/error.h"

namespace tarsier {
namespace {

/// Throws with the reason that the last system call left in errno.
[[noreturn]] void fail_errno(const std::string& path, const char* what) {
  const int reason = errno;
  fail("file", path, ": ", what, ": ", std::strerror(reason));
}

/// Closes a file descriptor at the end of a scope.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// Opens a regular file for reading and gives its size.
int open_regular(const std::string& path, size_t* size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail_errno(path, "cannot be opened");
  Descriptor guard{fd};
  struct stat info;
  if (::fstat(fd, &info) != 0) fail_errno(path, "cannot be read");
  check(S_ISREG(info.st_mode), "file", path, ": is not a regular file");
  *size = static_cast<size_t>(info.st_size);
  guard.fd = -1;
  return fd;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

// ----------------------------------------------------------------------------------------- writing

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  check(!fs::exists(path, ignored) || fs::is_regular_file(path, ignored), "file", path,
        ": is not a regular file, so it cannot be replaced: give another path");
  for (int links = 0; fs::is_symlink(path_, ignored); ++links) {
    check(links < 40, "file", path, ": too many symbolic links");  // a cycle
    path_ = fs::path(path_).parent_path() / fs::read_symlink(path_, ignored);
  }
  // Numbered, so that two threads that write the same file do not share a temporary one.
  static std::atomic<int> count{0};
  temporary_ = concat(path_, ".tmp.", ::getpid(), ".", count++);
  file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ >= 0) return;
  check(errno != ENOENT, "file", path, ": cannot be created: there is no folder '",
        folder_of(path_), "'");
  fail_errno(path, "cannot be created");
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  check(file_ >= 0, "file", path_, ": written to after commit()");
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    // At most 1 GiB at once: the system writes no more than 2 GiB in one call.
    const ssize_t written = ::write(file_, at, std::min(bytes, size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_errno(path_, "cannot be written");
    at += written;
    bytes -= static_cast<size_t>(written);
  }
}

void AtomicFile::commit() {
  check(file_ >= 0, "file", path_, ": committed twice");
  if (::fsync(file_) != 0) fail_errno(path_, "cannot be written");
  const int file = file_;
  file_ = -1;
  // Some file systems report a full disk only here.
  if (::close(file) != 0) fail_errno(path_, "cannot be written");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno(path_, "cannot be replaced");
  temporary_.clear();
  // The name is on the disk when its folder is synced. Some file systems cannot sync a folder; the
  // file is in place nevertheless.
  const Descriptor folder{::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd >= 0) ::fsync(folder.fd);
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

// ----------------------------------------------------------------------------------------- reading

std::string read_file(const std::string& path) {
  size_t size = 0;
  const Descriptor file{open_regular(path, &size)};
  std::string text;
  // Files in /proc report size 0: read until the end, whatever the size.
  for (size_t have = 0;;) {
    text.resize(std::max(size + 1, have + 65536));
    const ssize_t got = ::read(file.fd, text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno(path, "cannot be read");
    have += static_cast<size_t>(got);
    if (got == 0) {
      text.resize(have);
      return text;
    }
  }
}

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file{open_regular(path, &size_)};
  if (size_ == 0) return;  // an empty map is not allowed
  void* data = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED) fail_errno(path, "cannot be mapped into memory");
  data_ = static_cast<char*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace tarsier
