#pragma once
// Standard input, output and error, even if the caller closed them.

namespace tarsier::zoo {

/// Opens /dev/null in place of each of the three that is closed, in a way that it still cannot be
/// read or written. Otherwise the next file that the program opens, such as a checkpoint, would get
/// its descriptor, and printed text would go into that file.
void occupy_standard_streams();

/// From now on, printing to a pipe that nobody reads is an error of the stream and does not end the
/// program.
void ignore_broken_pipes();

/// Whether printing failed because the reader of standard output is gone, as in
/// `tarsier train gpt | head`. A full disk does not count.
bool nobody_listens();

}  // namespace tarsier::zoo
