#pragma once
// metrics.jsonl of a run as an event file of TensorBoard.
//
//   file     records: first the version of the format, then a record for each line of the log
//   record   u64 length, u32 checksum of it, the bytes, u32 checksum of them; little endian
//   bytes    a message Event: wall_time, step, and a summary of tags and their numbers
//   checksum CRC-32C, turned right by 15 bits, plus 0xa282ead8
// Source: TensorFlow's lib/io/record_writer.h and util/event.proto
// (https://github.com/tensorflow/tensorflow)

#include <string>
#include <string_view>

#include "../../autograd/io/json.h"

namespace tarsier::zoo {

/// A record of an event file with these bytes.
std::string event_record(std::string_view bytes);

/// The record that begins an event file.
std::string event_file_start(double wall_time);

/// The record of a line of metrics.jsonl: each number but the step is a scalar under its key;
/// objects of numbers (the norms of the layers) under "key/member". Throws Error("json") for what
/// is not such a line.
std::string event_of(const Json& line, double wall_time);

/// Writes events.out.tfevents.… into `folder`, with all lines of `log`, a metrics.jsonl. They took
/// place as long before the file's last change as their "seconds" say.
/// Throws Error("file") and Error("export"), which names file and line.
void export_tensorboard(const std::string& log, const std::string& folder);

}  // namespace tarsier::zoo
