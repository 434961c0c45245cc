#include "zoo/data/cut.h"

#include "autograd/base/error.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"

namespace tarsier::zoo {

void Cut::add(int64_t of, int64_t lost) {
  ++examples;
  tokens += of;
  cut_tokens += lost;
  if (lost > 0) ++cut_examples;
}

std::string Cut::text(const std::string& what, const std::string& unit) const {
  if (!any()) return "";
  return concat(with_commas(cut_examples), " of ", with_commas(examples), " ", what,
                ", which lose ", with_commas(cut_tokens), " of ", with_commas(tokens), " ", unit);
}

std::string cut_facts_of(const Cut& train, const Cut& validation, const std::string& what,
                         int64_t max_length) {
  if (!train.any() && !validation.any()) return "";
  std::string text = concat("to max_length ", max_length, ": ");
  text += train.text("training " + what);
  if (train.any() && validation.any()) text += "; ";
  text += validation.text("validation " + what);
  return text + " (--set max_length=N reads more)";
}

std::string cut_note(const Cut& cut, const std::string& what, int64_t limit,
                     const std::string& setting, const std::string& unit) {
  return cut.any() ? concat("cut to ", setting, " ", limit, ": ", cut.text(what, unit)) : "";
}

void note_cut(const std::string& text, const Tokenizer& tokenizer, int64_t special,
              int64_t max_length, std::ostream& notes) {
  if (max_length >= kNoLimit) return;
  const int64_t tokens = static_cast<int64_t>(tokenizer.encode(text).size()) + special;
  if (tokens <= max_length) return;
  notes << "tarsier: note: only the first " << max_length << " of " << tokens << " tokens of '"
        << beginning_of(text) << "' are read" << std::endl;
}

}  // namespace tarsier::zoo
