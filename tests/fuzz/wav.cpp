// WAV files: reading all of it, reading parts, writing what was read.
#include "zoo/audio/wav.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const zoo::WavFile file(folder().write("input", bytes));
  const int64_t size = file.size();
  promise(size > 0 && size * file.channels() <= static_cast<int64_t>(bytes.size()),
          "a file holds no more samples than bytes");
  const zoo::Sound sound = file.samples(0, size);
  promise(file.samples(size / 2, size - size / 2).samples ==
              std::vector<float>(sound.samples.begin() + size / 2, sound.samples.end()),
          "a part is a part of the whole");
  zoo::write_wav(folder().path("written"), sound);
  const zoo::Sound again = zoo::read_wav(folder().path("written"));
  promise(again.rate == sound.rate && again.samples.size() == sound.samples.size(),
          "a written file has the same samples");
}
