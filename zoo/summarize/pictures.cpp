#include "zoo/summarize/pictures.h"

#include <algorithm>

#include "zoo/base/format.h"
#include "zoo/report/parts.h"
#include "zoo/summarize/write.h"

namespace tarsier::zoo::summarize {

namespace {

/// The pieces as labels, and one for the end.
std::vector<std::string> with_end(const std::vector<std::string>& pieces) {
  std::vector<std::string> labels = as_labels(pieces);
  labels.emplace_back("<eos>");
  return labels;
}

void add_summary(Page& page, const Document& document, const std::string& reference,
                 Summarizer& model, const Tokenizer& tokenizer,
                 const std::vector<int32_t>& summary) {
  const Origin origin = origin_of(model, document, summary);
  const std::vector<std::string> read = text_pieces(tokenizer, document.as_is),
                                 written =
                                     text_pieces(tokenizer, words_of(summary, document, tokenizer));
  // Without the ends of both: nobody reads them.
  const std::vector<double> copied(origin.copied.begin(), origin.copied.end() - 1);
  const int64_t T = std::ssize(summary), S = std::ssize(document.ids);
  std::vector<double> looked(static_cast<size_t>(S - 1), 0);
  const std::vector<double> attention = origin.attention.to_vector();
  for (int64_t t = 0; t < T; ++t)
    for (int64_t s = 0; s + 1 < S; ++s) {
      const double a = attention[static_cast<size_t>(t * S + s)];
      looked[static_cast<size_t>(s)] =
          std::max(looked[static_cast<size_t>(s)], a * copied[static_cast<size_t>(t)]);
    }
  page.weighted_text({{}, "document; coloured: what was copied"}, read, looked);
  page.weighted_text({{}, "summary; coloured: the share of each word that was copied"}, written,
                     copied);
  page.figure({heat_map(attention, T + 1, S, with_end(written), with_end(read),
                        {.label = "the pointer's attention", .cell = 13, .percent = true}),
               concat("The pointer: a row for each word written. Reference: ", reference)});
}

}  // namespace

void add_summaries(Page& page, const ParallelText& text, Summarizer& model,
                   const Tokenizer& tokenizer, const transformer::BeamOptions& beam,
                   int64_t max_length) {
  constexpr size_t kRows = 12, kShown = 4;
  const size_t count = std::min(kRows, text.source.size());
  std::vector<std::vector<std::string>> rows;
  struct Example {
    Document document;
    std::string reference;
    std::vector<int32_t> summary;
  };
  std::vector<Example> shown;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = i * text.source.size() / count;
    Document document = read_document(text.source[at], tokenizer, max_length);
    const std::vector<int32_t> summary = summarize(model, document, beam);
    rows.push_back(
        {text.source[at], text.target[at], tokenizer.join(words_of(summary, document, tokenizer))});
    if (shown.size() < kShown && !summary.empty())
      shown.push_back({std::move(document), text.target[at], summary});
  }
  page.section("Validation documents");
  page.table({"document", "reference", "model"}, rows);
  page.section("What is copied");
  page.paragraph(
      "The pointer is an attention of its own to the document. For each word the model decides how "
      "far to copy the word that it points at, and how far to choose from its vocabulary.");
  for (const auto& [document, reference, summary] : shown)
    add_summary(page, document, reference, model, tokenizer, summary);
}

}  // namespace tarsier::zoo::summarize
