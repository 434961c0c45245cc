#include "zoo/summarize/documents.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "autograd/ops.h"

namespace tarsier::zoo::summarize {

Document read_document(const std::string& text, const Tokenizer& tokenizer, int64_t max_length) {
  Document out{.ids = tokenizer.encode(text),
               .words = tokenizer.split(text),
               .as_is = tokenizer.split(text, /*as_is=*/true)};
  if (out.as_is.size() != out.words.size()) out.as_is = out.words;  // a rare letter without case
  const auto room = static_cast<size_t>(max_length) - 1;
  if (out.ids.size() > room) {
    out.cut = static_cast<int64_t>(out.ids.size() - room);
    out.ids.resize(room);
    out.words.resize(room);
    out.as_is.resize(room);
  }
  for (size_t i = 0; i < out.ids.size(); ++i) {
    if (out.ids[i] != kUnknown) continue;
    const auto found = std::find(out.own.begin(), out.own.end(), out.words[i]);
    out.ids[i] = static_cast<int32_t>(tokenizer.size() + (found - out.own.begin()));
    if (found == out.own.end()) out.own.push_back(out.words[i]);
  }
  out.ids.push_back(kEnd);
  return out;
}

std::vector<int32_t> read_summary(const std::string& text, const Document& document,
                                  const Tokenizer& tokenizer, int64_t max_length, int64_t& cut) {
  std::vector<int32_t> ids = tokenizer.encode(text);
  const std::vector<std::string> words = tokenizer.split(text);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != kUnknown) continue;
    const auto found = std::find(document.own.begin(), document.own.end(), words[i]);
    if (found != document.own.end())
      ids[i] = static_cast<int32_t>(tokenizer.size() + (found - document.own.begin()));
  }
  ids.push_back(kEnd);
  cut = std::max<int64_t>(0, std::ssize(ids) - max_length);
  ids.resize(ids.size() - static_cast<size_t>(cut));
  ids.insert(ids.begin(), kBegin);
  return ids;
}

// -------------------------------------------------------------------------------------- spelling

namespace {

/// How the document spells a word, whose places it is given.
std::string spelling_of(const std::string& word, const Document& document) {
  std::string found = word;
  for (size_t i = 0; i < document.words.size(); ++i) {
    if (document.words[i] != word) continue;
    const std::string& as_is = document.as_is[i];
    const bool begins = i == 0 || document.words[i - 1].find_first_of(".!?:") != word.npos;
    if (!begins) return as_is;
    const bool inner = std::any_of(as_is.begin() + 1, as_is.end(),
                                   [](unsigned char c) { return std::isupper(c) != 0; });
    if (inner) found = as_is;  // "GTK", "OpenGL"
  }
  return found;
}

}  // namespace

std::vector<std::string> words_of(const std::vector<int32_t>& ids, const Document& document,
                                  const Tokenizer& tokenizer) {
  std::vector<std::string> out;
  for (const int32_t id : ids) {
    const bool known = id < tokenizer.size();
    const std::string word =
        known ? tokenizer.show(id) : document.own[static_cast<size_t>(id - tokenizer.size())];
    out.push_back(spelling_of(word, document));
  }
  return out;
}

// ----------------------------------------------------------------------------------------- pairs

SummaryPairs::SummaryPairs(const ParallelText& text, const Tokenizer& tokenizer, int64_t max_length)
    : vocab(tokenizer.size()) {
  std::vector<std::vector<int32_t>> sources, targets;
  for (size_t i = 0; i < text.source.size(); ++i) {
    Document document = read_document(text.source[i], tokenizer, max_length);
    int64_t lost = 0;
    targets.push_back(read_summary(text.target[i], document, tokenizer, max_length, lost));
    cut.add(std::ssize(document.ids) + std::ssize(targets.back()) - 1 + document.cut + lost,
            document.cut + lost);
    sources.push_back(std::move(document.ids));
    own.push_back(std::move(document.own));
  }
  pairs = {std::move(sources), std::move(targets)};
}

Batch SummaryPairs::batch(const std::vector<int64_t>& chosen, int64_t length) const {
  const Batch cut = pairs.batch(chosen, length);
  const Tensor& source = cut["source"];
  const auto writable = [&](const Tensor& ids) {  // in the vocabulary, or still in the document
    const Tensor there = any(unsqueeze(ids, 2) == unsqueeze(source, 1), {-1});
    return masked_fill(ids, !(there || ids < static_cast<double>(vocab)), kUnknown);
  };
  const Tensor next = writable(cut["next"]);
  return {{{"source", source},
           {"padding", cut["padding"]},
           {"target", writable(cut["target"])},
           {"next", next},
           {"places", flatten(nonzero(flatten(next) != kPad))}},
          cut.items,
          cut.weight};
}

}  // namespace tarsier::zoo::summarize
