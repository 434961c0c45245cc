#include "zoo/export/tensorboard.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "autograd/io/file.h"
#include "zoo/base/json_number.h"
#include "zoo/export/protobuf.h"
#include "zoo/zip/checksum.h"

namespace tarsier::zoo {

namespace {

std::string little_endian(uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 255);
  return out;
}

/// Of data that may hold checksums themselves.
std::string masked_checksum(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return little_endian((crc >> 15 | crc << 17) + 0xa282ead8U, 4);
}

ProtobufMessage scalar(std::string_view tag, double value) {
  return ProtobufMessage().text(1, tag).number(2, static_cast<float>(value));
}

/// When the file was changed last, in seconds since 1970.
double changed_at(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(path, error);
  const auto time = std::chrono::system_clock::now() -
                    std::chrono::duration_cast<std::chrono::system_clock::duration>(age);
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// The objects of metrics.jsonl. A last line without an end is that of a run that still writes.
std::vector<Json> lines_of_log(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<Json> lines;
  size_t at = 0;
  for (size_t end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
    try {
      lines.push_back(Json::parse(std::string_view(text).substr(at, end - at), path));
    } catch (const Error& error) {
      fail("export", path, ", line ", lines.size() + 1, " is damaged: ", error.what());
    }
  }
  check(!lines.empty(), "export", path, " has no line yet: train at least one step");
  return lines;
}

}  // namespace

std::string event_record(std::string_view bytes) {
  const std::string length = little_endian(bytes.size(), 8);
  return concat(length, masked_checksum(length), bytes, masked_checksum(bytes));
}

std::string event_file_start(double wall_time) {
  return event_record(ProtobufMessage().number(1, wall_time).text(3, "brain.Event:2").bytes());
}

std::string event_of(const Json& line, double wall_time) {
  ProtobufMessage summary;
  const auto add = [&](const std::string& tag, const Json& value) {
    summary.message(1, scalar(tag, number_of(value)));
  };
  for (const auto& [key, value] : line.as_object()) {
    if (key == "step") continue;
    if (!value.is_object()) {
      add(key, value);
      continue;
    }
    for (const auto& [member, number] : value.as_object()) add(concat(key, '/', member), number);
  }
  return event_record(ProtobufMessage()
                          .number(1, wall_time)
                          .integer(2, line["step"].as_int())
                          .message(5, summary)
                          .bytes());
}

void export_tensorboard(const std::string& log, const std::string& folder) {
  const std::vector<Json> lines = lines_of_log(log);
  std::string events;
  double start = 0;
  try {
    start = changed_at(log) - lines.back()["seconds"].as_double();
    events = event_file_start(start);
    for (const Json& line : lines) events += event_of(line, start + line["seconds"].as_double());
  } catch (const Error& error) {
    fail("export", log, " is not the log of a run: ", error.what());
  }
  write_file_atomically(
      concat(folder, "/events.out.tfevents.", static_cast<int64_t>(start), ".tarsier"), events);
}

}  // namespace tarsier::zoo
