#include "zoo/question_answering/readings.h"

#include <algorithm>
#include <map>
#include <utility>

#include "autograd/base/error.h"
#include "autograd/ops.h"

namespace tarsier::zoo::question_answering {

namespace {

/// The words of a line. What ends it (a stop, a question mark) tells nothing that is not known.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words = split_words(text, /*lower_case=*/true);
  if (words.size() > 1 && (words.back() == "￭." || words.back() == "￭?")) words.pop_back();
  return words;
}

}  // namespace

// ------------------------------------------------------------------------------------- language

Language::Language(const std::vector<Story>& stories) {
  std::vector<std::vector<std::string>> lines;
  for (const Story& story : stories)
    for (const Line& line : story.lines) {
      lines.push_back(words_of(line.text));
      if (line.asks()) answers_.push_back(line.answer);
    }
  words_ = WordVocabulary(lines, 1);
  std::sort(answers_.begin(), answers_.end());
  answers_.erase(std::unique(answers_.begin(), answers_.end()), answers_.end());
  number_answers();
}

void Language::number_answers() {
  for (size_t i = 0; i < answers_.size(); ++i)
    check(numbers_.try_emplace(answers_[i], static_cast<int64_t>(i)).second, "data", "the answer '",
          answers_[i], "' is listed twice");
}

Json Language::to_json() const {
  Json::Array answers(answers_.begin(), answers_.end());
  return Json::Object{{"words", words_.to_json()}, {"answers", std::move(answers)}};
}

Language Language::from_json(const Json& json) {
  Language language;
  language.words_ = WordVocabulary::from_json(json["words"]);
  for (const Json& answer : json["answers"].as_array())
    language.answers_.push_back(answer.as_string());
  language.number_answers();
  return language;
}

std::vector<int32_t> Language::encode(const std::string& text) const {
  return words_.encode(words_of(text));
}

std::vector<std::string> Language::unknown(const std::string& text) const {
  std::vector<std::string> words = words_of(text);
  std::erase_if(words, [this](const std::string& word) {
    return words_.id_of(word) != WordVocabulary::kUnknown;
  });
  return words;
}

std::string Language::text(const std::vector<int32_t>& words) const {
  return join_words(words_.decode({words.begin() + 1, words.end()}));
}

int64_t Language::answer(const std::string& text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? kUnknownAnswer : found->second;
}

// ------------------------------------------------------------------------------------- readings

Readings::Readings(const std::vector<Story>& stories, const Language& language,
                   const LineLimits& limits) {
  std::unordered_map<std::string, std::vector<int32_t>> known;  // most lines occur often
  for (size_t s = 0; s < stories.size(); ++s) {
    std::vector<ReadLine> read;
    for (const Line& line : stories[s].lines) {
      ReadLine one{.number = std::ssize(read), .asks = line.asks()};
      one.words = {line.asks() ? WordVocabulary::kEnd : WordVocabulary::kBegin};
      const auto [entry, is_new] = known.try_emplace(line.text);
      if (is_new) entry->second = language.encode(line.text);
      const std::vector<int32_t>& encoded = entry->second;
      const int64_t kept = std::min<int64_t>(std::ssize(encoded), limits.max_words);
      one.words.insert(one.words.end(), encoded.begin(), encoded.begin() + kept);
      words.add(std::ssize(encoded), std::ssize(encoded) - kept);
      if (line.asks()) one.answer = language.answer(line.answer);
      read.push_back(std::move(one));
    }
    const int64_t count = std::ssize(read), step = std::max<int64_t>(1, limits.max_lines / 2);
    for (int64_t end = std::min(count, limits.max_lines), begin = 0, first = 0;;) {
      Reading part{.story = static_cast<int64_t>(s), .task = stories[s].task};
      part.lines.push_back({.words = {WordVocabulary::kBegin}, .number = -1});
      for (int64_t l = begin; l < end; ++l) {
        ReadLine& line = part.lines.emplace_back(read[static_cast<size_t>(l)]);
        line.counts = line.asks && l >= first;
        if (line.counts) lines.add(l, begin);
      }
      all.push_back(std::move(part));
      if (end == count) break;
      first = end;
      end = std::min(count, end + step);
      begin = end - limits.max_lines;
    }
  }
  std::erase_if(all, [](const Reading& part) {
    return std::none_of(part.lines.begin(), part.lines.end(),
                        [](const ReadLine& line) { return line.counts; });
  });
}

BatchSampler sampler_of(const Readings& readings, int64_t size, int64_t lines, RandomKey key) {
  std::vector<int64_t> lengths;
  for (const Reading& one : readings.all) lengths.push_back(std::ssize(one.lines));
  return {std::move(lengths), {.examples = size, .tokens = lines, .bucket = 4}, key};
}

Batch story_batch(const std::vector<const Reading*>& readings, Unknown unknown, const Gaps& gaps) {
  int64_t L = 0;
  for (const Reading* one : readings) L = std::max(L, std::ssize(one->lines));
  const auto B = std::ssize(readings);
  std::map<std::vector<int32_t>, int64_t> places;
  std::vector<std::vector<int32_t>> different;
  std::vector<int64_t> lines(static_cast<size_t>(B * L)), asked, targets;
  const Tensor times = zeros({B, L}), hidden = full({B, L, L}, 1, boolean),
               present = zeros({B, L}, boolean);
  int64_t read = 0;
  for (int64_t b = 0; b < B; ++b) {
    const std::vector<ReadLine>& story = readings[static_cast<size_t>(b)]->lines;
    float time = 0;
    for (int64_t l = 0; l < L; ++l) {
      bool* row = hidden.data<bool>() + (b * L + l) * L;
      row[l] = l > 0 && l < std::ssize(story);
      if (l >= std::ssize(story)) continue;
      const ReadLine& line = story[static_cast<size_t>(l)];
      for (int64_t j = 0; j < l; ++j) row[j] = story[static_cast<size_t>(j)].asks;
      const auto place = static_cast<uint64_t>(b * L + l);
      present.data<bool>()[place] = true;
      if (gaps.share > 0 && uniform<double>(gaps.key, place) < gaps.share) ++time;
      times.data<float>()[place] = time;
      if (!line.asks) ++time;
      const auto [entry, is_new] = places.try_emplace(line.words, std::ssize(different));
      if (is_new) different.push_back(line.words);
      lines[place] = entry->second;
      ++read;
      if (!line.counts) continue;
      if (unknown == Unknown::left_out && line.answer == kUnknownAnswer) continue;
      asked.push_back(static_cast<int64_t>(place));
      targets.push_back(std::max<int64_t>(0, line.answer));
    }
  }
  const auto N = std::ssize(targets);
  return {{{"words", pad_rows(different, WordVocabulary::kPad)},
           {"padding", padding_mask(different)},
           {"lines", from_vector(lines, {B, L})},
           {"times", times},
           {"hidden", hidden},
           {"present", present},
           {"places", from_vector(asked, {N})},
           {"targets", from_vector(targets, {N})}},
          read,
          static_cast<double>(N)};
}

}  // namespace tarsier::zoo::question_answering
