// JSON: a value that was read can be written, and reads back as the same value.
#include "autograd/io/json.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const Json json = Json::parse(bytes);
  promise(Json::parse(json.dump()) == json, "dump() reads back as the same");
  promise(Json::parse(json.dump(2)) == json, "dump(2) reads back as the same");
}
