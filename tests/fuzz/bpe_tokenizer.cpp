// Byte pairs: tokenizer.json, and after a 0 byte a text. The word VOCAB stands for the tokens of
// single bytes and of what "ab ab" and the like make, which are too long to guess.
#include "autograd/io/json.h"
#include "tests/fuzz/fuzz.h"
#include "zoo/data/bpe.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  static const std::string vocab =
      zoo::Bpe::train("abc abc abd abd", 260).to_json()["vocab"].dump();
  std::string file(take_part(bytes, '\0'));
  if (const size_t at = file.find("VOCAB"); at != file.npos) file.replace(at, 5, vocab);
  folder().write("tokenizer.json", file);
  const zoo::Bpe bpe = zoo::Bpe::load_folder(folder().path());
  promise(bpe.decode(bpe.encode(bytes)) == bytes, "every text comes back");
}
