// Byte pairs: a merges.txt over a vocabulary with all of its tokens, and after a 0 byte a text.
#include <set>

#include "autograd/io/json.h"
#include "autograd/io/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "zoo/data/bpe.h"
#include "zoo/data/lines.h"

void tarsier::fuzz::read_input(std::string_view bytes) {
  const std::string_view merges = take_part(bytes, '\0');
  const Json base = zoo::Bpe().to_json();
  Json::Object vocab = base["vocab"].as_object();
  std::set<std::string> known;
  for (const auto& [token, id] : vocab) known.insert(token);
  const auto add = [&](const std::string& token) {
    if (is_utf8(token) && known.insert(token).second)
      vocab.emplace_back(token, static_cast<int64_t>(vocab.size()));
  };
  for (const std::string& line : zoo::split_lines(merges)) {
    const size_t space = line.find(' ');
    if (space == line.npos) continue;
    for (const std::string& token : {line.substr(0, space), line.substr(space + 1),
                                     line.substr(0, space) + line.substr(space + 1)})
      add(token);
  }
  const zoo::Bpe bpe = zoo::Bpe::load(folder().write("vocab.json", Json(vocab).dump()),
                                      folder().write("merges.txt", merges));
  promise(bpe.decode(bpe.encode(bytes)) == bytes, "every text comes back");
  promise(zoo::Bpe::from_json(bpe.to_json()).encode(bytes) == bpe.encode(bytes),
          "a vocabulary is read as it was written");
}
