#include "autograd/io/file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "autograd/base/error.h"
#include "tests/child.h"
#include "tests/nn/temporary.h"

namespace tarsier {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a file is written completely, and replaced completely") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.txt";
  write_file_atomically(path, "one");
  CHECK(read_file(path) == "one");
  write_file_atomically(path, std::string(1000000, 'x'));
  CHECK(read_file(path) == std::string(1000000, 'x'));
  {
    AtomicFile file(path);
    file.write("half");
    CHECK(read_file(path).size() == 1000000);
    // Not committed: as if an exception had come.
  }
  CHECK(read_file(path).size() == 1000000);
  CHECK(folder.files() == 1);
  AtomicFile file(path);
  file.write("");
  file.commit();
  CHECK(read_file(path).empty());
  CHECK_THROWS_AS(file.write("more"), Error);
  CHECK_THROWS_AS(file.commit(), Error);
}

TEST_CASE("if a file cannot be written, the error says which and why") {
  const TemporaryFolder folder;
  const std::string missing = folder / "no/such/a.txt";
  CHECK_THROWS_WITH_AS(write_file_atomically(missing, "x"),
                       doctest::Contains("no/such/a.txt: cannot be created: there is no folder '"),
                       Error);
  CHECK_THROWS_WITH_AS(read_file(missing), doctest::Contains("No such file or directory"), Error);
  CHECK_THROWS_AS(MappedFile{missing}, Error);
  // Must not be replaced by renaming.
  CHECK_THROWS_WITH_AS(write_file_atomically("/dev/null", "x"),
                       doctest::Contains("is not a regular file"), Error);
  CHECK_THROWS_AS(write_file_atomically(folder / "", "x"), Error);
  CHECK_THROWS_WITH_AS(read_file(folder / ""), doctest::Contains("is not a regular file"), Error);
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_AS(read_file(pipe), Error);  // and does not wait for a writer
}

TEST_CASE("symbolic links are followed, and stay links") {
  const TemporaryFolder folder;
  fs::create_symlink("target", folder / "link");
  for (const char* text : {"one", "two"}) {  // the target is made, then replaced
    write_file_atomically(folder / "link", text);
    CHECK(fs::is_symlink(folder / "link"));
    CHECK(read_file(folder / "target") == text);
  }
  fs::create_symlink("loop", folder / "loop");
  CHECK_THROWS_AS(write_file_atomically(folder / "loop", "x"), Error);
  CHECK_THROWS_AS(read_file(folder / "loop"), Error);
}

TEST_CASE("a full disk leaves the old file, no temporary one, and an error") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, "old");
  const int code = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100000, 100000};
    ::setrlimit(RLIMIT_FSIZE, &limit);  // no file longer than that
    try {
      write_file_atomically(path, std::string(200000, 'x'));
    } catch (const Error& error) {
      return std::string(error.what()).find("cannot be written: File too large") !=
                     std::string::npos
                 ? 0
                 : 2;
    }
    return 1;
  });
  CHECK(code == 0);
  CHECK(read_file(path) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("a process killed at any moment leaves the old file or the new one") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, std::string(300000, 'a'));
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (char c = 'a';; c = c == 'z' ? 'a' : static_cast<char>(c + 1))
        write_file_atomically(path, std::string(300000, c));
    }
    ::usleep(static_cast<useconds_t>(500 + 733 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string text = read_file(path);
    CHECK(text.size() == 300000);
    CHECK(text == std::string(300000, text[0]));
  }
}

TEST_CASE("a mapped file: its content, a private copy when written, still there when replaced") {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, "hello");
  const MappedFile map(path);
  CHECK(map.text() == "hello");
  map.data()[0] = 'j';
  CHECK(read_file(path) == "hello");
  write_file_atomically(path, "other");
  CHECK(map.text() == "jello");
  fs::remove(path);
  CHECK(map.text() == "jello");

  write_file_atomically(path, "");
  CHECK(MappedFile(path).size() == 0);
  // Files whose size is not known before they are read.
  if (fs::exists("/proc/self/status"))
    CHECK(read_file("/proc/self/status").find("Pid:") != std::string::npos);
}

}  // namespace
}  // namespace tarsier
