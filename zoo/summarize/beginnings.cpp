#include "zoo/summarize/beginnings.h"

#include <algorithm>

namespace tarsier::zoo::summarize {

std::string first_sentence(const std::string& text) {
  for (size_t i = 0; i + 1 < text.size(); ++i)
    if ((text[i] == '.' || text[i] == '!' || text[i] == '?') &&
        (text[i + 1] == ' ' || text[i + 1] == '\n'))
      return text.substr(0, i + 1);
  return text;
}

std::string first_words(const std::string& text, int64_t count) {
  size_t end = 0;
  for (int64_t i = 0; i < count && end != text.npos; ++i) {
    const size_t begin = text.find_first_not_of(' ', end);
    end = begin == text.npos ? begin : text.find(' ', begin);
  }
  return text.substr(0, end);
}

std::vector<Baseline> baselines(const ParallelText& text) {
  std::vector<std::string> sentences, words;
  for (const std::string& document : text.source) {
    sentences.push_back(first_sentence(document));
    words.push_back(first_words(document, 8));
  }
  return {{"first sentence", mean_rouge(sentences, text.target)},
          {"first 8 words", mean_rouge(words, text.target)}};
}

}  // namespace tarsier::zoo::summarize
