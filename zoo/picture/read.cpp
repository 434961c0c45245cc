#include "zoo/picture/read.h"

#include <string_view>

#include "autograd/io/file.h"
#include "zoo/picture/formats.h"

namespace tarsier::zoo {

namespace {

bool is_netpbm(std::string_view start) {
  return start.size() >= 2 && start[0] == 'P' &&
         std::string_view("2356").find(start[1]) != std::string_view::npos;
}

bool is_png(std::string_view start) { return start.starts_with("\x89PNG"); }

}  // namespace

void check_size(const Bytes& file, int64_t height, int64_t width) {
  check(height > 0 && width > 0 && height <= kMostPixels / width, "data", "'", file.path,
        "' claims to have ", width, " × ", height, " pixels; from 1 to ", kMostPixels,
        " can be read");
}

Picture read_numbers(const std::string& path) {
  const std::string bytes = read_file(path);
  const Bytes file{path, bytes, "mask"};
  if (is_netpbm(bytes)) return read_netpbm(file, Levels::stored);
  if (is_png(bytes)) return read_png(file, Levels::stored);
  fail("data", "'", path, "' is neither PGM nor PNG: ", kOneNumber);
}

Picture read_picture(const std::string& path) {
  const std::string bytes = read_file(path);
  const Bytes file{path, bytes, "picture"};
  const std::string_view start = bytes;
  if (is_netpbm(start)) return read_netpbm(file);
  if (start.starts_with("BM")) return read_bmp(file);
  if (is_png(start)) return read_png(file);
  if (start.starts_with("\xFF\xD8\xFF")) return read_jpeg(file);
  const auto has = [&](size_t at, std::string_view name) {
    return start.size() >= at && start.substr(at).starts_with(name);
  };
  const char* kind = has(0, "GIF8")                     ? "a GIF file"
                     : has(0, "RIFF") && has(8, "WEBP") ? "a WebP file"
                     : has(0, "II*") || has(0, "MM")    ? "a TIFF file"
                     : has(4, "ftyp")                   ? "a HEIC or AVIF file"
                                                        : "not an image that can be read";
  fail("data", "'", path, "' is ", kind,
       ": give PNG, JPEG, PGM, PPM or BMP (convert it with `convert picture.gif picture.png`)");
}

}  // namespace tarsier::zoo
