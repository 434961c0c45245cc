// A tokenizer as in config.json, and after a 0 byte a text.
#include "zoo/data/tokenizer.h"

#include "autograd/io/json.h"
#include "tests/fuzz/fuzz.h"
#include "zoo/gpt/tokens.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const Json json = Json::parse(take_part(bytes, '\0'));
  const zoo::gpt::TextTokens tokens = zoo::gpt::TextTokens::from_json(json);
  tokens.blank();
  for (int32_t id : tokens.encode(bytes, "the input")) {
    promise(id >= 0 && id < tokens.size(), "an id is one of the vocabulary");
    tokens.show(id);
  }
  const auto tokenizer = zoo::Tokenizer::from_json(json);
  tokenizer->decode(tokenizer->encode(bytes));
  promise(zoo::Tokenizer::from_json(tokenizer->to_json())->size() == tokenizer->size(),
          "a tokenizer is read as it was written");
}
