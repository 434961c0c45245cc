// tokenizer.json, and after a 0 byte a text.
#include "zoo/tokenizer_json/tokenizer_json.h"
#include "autograd/io/json.h"
#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const std::string file(take_part(bytes, '\0'));
  const zoo::tokenizer_json::TokenizerJson tokenizer(Json::parse(file), "tokenizer.json");
  const std::vector<int32_t> ids = tokenizer.encode(bytes, false);
  for (const int32_t id : ids) promise(id >= 0 && id < tokenizer.size(), "ids are in the range");
  tokenizer.decode(ids);
}
