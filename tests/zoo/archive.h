#pragma once
// Zip archives and pickles made by hand, to be damaged.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "zoo/zip/checksum.h"

namespace tarsier::zoo {

/// A number of that many bytes, at most 8, lowest first.
inline std::string little(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 255);
  return text;
}

/// A member of an archive. What the directory says of it may be false.
struct ZipPart {
  std::string name, data;
  uint64_t method = 0;
  uint64_t size = data.size();    ///< of the unpacked bytes
  uint64_t stored = data.size();  ///< of the bytes in the file
  uint64_t flags = 0;
  uint64_t at = ~uint64_t{0};  ///< where its header is; by default where it is
  uint32_t crc = crc32(data);
};

inline std::string archive_of(const std::vector<ZipPart>& parts) {
  std::string file, directory;
  for (const ZipPart& part : parts) {
    const uint64_t at = part.at == ~uint64_t{0} ? file.size() : part.at;
    const std::string common = little(part.flags, 2) + little(part.method, 2) + little(0, 4) +
                               little(part.crc, 4) + little(part.stored, 4) + little(part.size, 4) +
                               little(part.name.size(), 2);
    file += "PK\3\4" + little(20, 2) + common + little(0, 2) + part.name + part.data;
    directory += "PK\1\2" + little(20, 2) + little(20, 2) + common + std::string(12, '\0') +
                 little(at, 4) + part.name;
  }
  const std::string count = little(parts.size(), 2);
  return file + directory + "PK\5\6" + little(0, 4) + count + count + little(directory.size(), 4) +
         little(file.size(), 4) + little(0, 2);
}

// ---- pickles: the opcodes of values ----

inline std::string pickled_text(const std::string& text) {
  return "X" + little(text.size(), 4) + text;
}
inline std::string pickled_whole(int64_t number) {
  return "\x8a\x08" + little(static_cast<uint64_t>(number), 8);
}
inline std::string pickled_wholes(const std::vector<int64_t>& numbers) {
  std::string tuple = "(";
  for (const int64_t number : numbers) tuple += pickled_whole(number);
  return tuple + "t";
}
inline std::string pickled_global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

/// A tensor as torch.save describes it.
struct PickledTensor {
  std::vector<int64_t> sizes, strides;
  int64_t offset = 0;
  std::string kind = "FloatStorage", storage = "0";
  int64_t elements = 4;

  std::string text() const {
    return pickled_global("torch._utils", "_rebuild_tensor_v2") + "((" + pickled_text("storage") +
           pickled_global("torch", kind) + pickled_text(storage) + pickled_text("cpu") +
           pickled_whole(elements) + "tQ" + pickled_whole(offset) + pickled_wholes(sizes) +
           pickled_wholes(strides) + "\x89" + pickled_global("collections", "OrderedDict") + ")RtR";
  }
};

/// A pickle of the dict with these keys and values, already pickled.
inline std::string pickled_dict(std::initializer_list<std::pair<std::string, std::string>> items) {
  std::string dict = "\x80\x02}(";
  for (const auto& [key, value] : items) dict += pickled_text(key) + value;
  return dict + "u.";
}

/// A file of torch.save with this pickle, and a storage of four floats.
inline std::string torch_archive(const std::string& pickle) {
  return archive_of({{"a/data.pkl", pickle}, {"a/data/0", std::string(16, '\0')}});
}

}  // namespace tarsier::zoo
