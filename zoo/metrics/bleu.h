#pragma once
// BLEU, the score of machine translation.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarsier::zoo {

/// BLEU of a whole corpus, and its components.
struct Bleu {
  double score = 0;                    ///< 0 to 100
  std::array<double, 4> precisions{};  ///< of 1- to 4-grams, in percent, smoothed
  double brevity_penalty = 1;          ///< 0 to 1
  std::array<int64_t, 4> matches{};    ///< n-grams that the reference has as well
  std::array<int64_t, 4> totals{};     ///< n-grams of the translations
  int64_t length = 0;                  ///< words of the translations
  int64_t reference_length = 0;

  /// "BLEU = 36.42 68.1/43.6/29.5/20.2 (BP = 1.000 ratio = 1.012 hyp_len = 13206 ref_len = 13049)",
  /// as sacreBLEU prints it.
  std::string describe() const;
};

/// Compares translation i with reference i (one each), words as bleu_words() gives them:
///   p_n = Σ min(count in translation, count in reference) / Σ count in translation, over n-grams
///   BLEU = 100 · min(1, exp(1 − reference length / length)) · (p_1 p_2 p_3 p_4)^¼
/// where the k-th p_n without any match counts as 1 / (2^k · total) ("exp" smoothing); 0 if nothing
/// matches, or no translation has four words. The same as sacrebleu.corpus_bleu with its defaults.
/// Throws Error("bleu") if the numbers of lines differ, or there are none.
/// Source: Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation";
/// Post 2018, "A call for clarity in reporting BLEU scores".
Bleu corpus_bleu(const std::vector<std::string>& translations,
                 const std::vector<std::string>& references);
/// The same with one or more references for each: an n-gram counts as often as the reference that
/// has it most often; the reference length is that nearest to the translation's, of equally near
/// ones the shorter.
Bleu corpus_bleu_multi(const std::vector<std::string>& translations,
                       const std::vector<std::vector<std::string>>& references);

/// The words of a line for BLEU: punctuation and symbols are words of their own, except a point or
/// comma between digits, an apostrophe, or a hyphen that does not follow a digit; &quot; &amp; &lt;
/// &gt; are the characters that they stand for. This is mteval-v13a's rule, sacreBLEU's default.
std::vector<std::string> bleu_words(std::string_view line);

}  // namespace tarsier::zoo
