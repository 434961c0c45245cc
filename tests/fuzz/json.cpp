// JSON: what is read can be written, and is read as the same.
#include "autograd/io/json.h"

#include "tests/fuzz/fuzz.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const Json json = Json::parse(bytes);
  promise(Json::parse(json.dump()) == json, "dump() is read as the same");
  promise(Json::parse(json.dump(2)) == json, "dump(2) is read as the same");
}
