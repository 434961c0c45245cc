#pragma once
// Standard input, output and error, in whatever state the program was given them.

namespace tarsier::zoo {

/// Where one of the three was closed, opens /dev/null in its place, so that it still cannot be read
/// or written. Otherwise the next file that the program opens, a checkpoint say, would get its
/// number, and what is printed would go into that file.
void occupy_standard_streams();

/// From now on, printing to a pipe that nobody reads any more is an error of the stream, and does
/// not end the program.
void ignore_broken_pipes();

/// Whether printing has failed because whoever read standard output has gone, as in
/// `tarsier train gpt | head`. A file that is full is another matter.
bool nobody_listens();

}  // namespace tarsier::zoo
