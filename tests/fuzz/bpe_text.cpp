// Byte pairs are learned from one part of the bytes, and encode the other.
#include "tests/fuzz/fuzz.h"
#include "zoo/data/bpe.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const auto size = static_cast<int64_t>(256 + take_byte(bytes));
  const zoo::Bpe bpe = zoo::Bpe::train(take_part(bytes, '\0'), size);
  promise(bpe.size() <= size, "no more tokens are learned than requested");
  promise(bpe.decode(bpe.encode(bytes)) == bytes, "every text comes back");
  std::string joined;
  for (std::string_view piece : zoo::split_pieces(bytes)) joined += piece;
  promise(joined == bytes, "the pieces are the text");
}
