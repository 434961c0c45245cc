#pragma once
// Byte-pair encoding over bytes, as in GPT-2: any text becomes tokens of several bytes each, and
// comes back exactly.
//
// Source: Sennrich et al. 2016, "Neural machine translation of rare words with subword units";
// Radford et al. 2019, "Language models are unsupervised multitask learners", and their encoder.py.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../autograd/io/json.h"
#include "merge_table.h"

namespace tarsier::zoo {

/// Text cut into pieces, which no token crosses, as GPT-2's regular expression does it:
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
/// A piece is a contraction's ending, or a run of letters, of numbers or of other characters, each
/// with one space before it, or a run of white space without its last character if something
/// follows. The pieces together are the text. A byte that is not UTF-8 is an "other" character.
std::vector<std::string_view> split_pieces(std::string_view text);
/// The length of the first piece of `text`, which is not empty.
size_t piece_length(std::string_view text);

/// A vocabulary of byte strings, and the merges that build them. Encoding starts from single bytes
/// and repeatedly joins the neighbours that have the earliest merge.
class Bpe {
 public:
  /// The 256 single bytes, no merges; in GPT-2's order, printable characters first.
  Bpe();

  /// Learns merges from `text`: again and again the most frequent pair of neighbours (of
  /// equally frequent ones, that with the smallest ids) becomes a token, until the vocabulary has
  /// `size` tokens or no pair occurs `min_count` times. The same result as Hugging Face's
  /// BpeTrainer over ByteLevel pieces. Throws Error("bpe") for a size below 256.
  static Bpe train(std::string_view text, int64_t size, int64_t min_count = 2);

  /// GPT-2's files: vocab.json, an object of token → id, and merges.txt, one pair of tokens per
  /// line, in order of rank; each byte of a token is written as a printable character. Tokens of
  /// vocab.json that no merge makes are special, like <|endoftext|>: encode() never returns them.
  /// Throws Error("bpe") or Error("json") that names file and line.
  static Bpe load(const std::string& vocab_file, const std::string& merges_file);
  /// Writes both files. load() gives the same vocabulary back.
  void save(const std::string& vocab_file, const std::string& merges_file) const;

  /// The tokenizer.json of Hugging Face's tokenizers, if it does what GPT-2's does: byte pairs
  /// of ByteLevel pieces. Its added tokens are special; what its post-processor would put around a
  /// text is left to the caller. Throws Error("bpe") that names the file and the unsupported part:
  /// a normalizer, another pre_tokenizer or model, an option that changes ids.
  /// Source: https://huggingface.co/docs/tokenizers
  static Bpe load_tokenizer(const std::string& file);
  /// The vocabulary of a folder: vocab.json and merges.txt, or else tokenizer.json, the only file
  /// that newer programs write. Throws Error("bpe") that lists the files if neither exists.
  static Bpe load_folder(const std::string& folder);

  /// The same as one object with "vocab" and "merges", for config.json. A merge is a string of two
  /// tokens with a space between; an array of two, which tokenizers writes now, is read as well.
  Json to_json() const;
  static Bpe from_json(const Json& json);

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// The bytes of a token.
  const std::string& operator[](int64_t id) const { return tokens_[static_cast<size_t>(id)]; }
  /// Adds a special token and returns its id, or the id that it already has. Throws
  /// Error("bpe") for the name of an ordinary token.
  int32_t add_special(const std::string& name);
  /// The id of a special token, or −1.
  int32_t special(const std::string& name) const;

  /// The tokens of `text`, as tiktoken's encode_ordinary returns them. Caches the tokens of pieces;
  /// concurrent calls take turns.
  std::vector<int32_t> encode(std::string_view text) const;

  /// The bytes of the tokens, concatenated. Throws Error("bpe") for an unknown id.
  std::string decode(const std::vector<int32_t>& ids) const;

 private:
  using Pair = TokenPair;
  /// A merge as it is written in a file.
  struct WrittenMerge {
    std::string left, right;
    int64_t line;  // in the file, or in the list, from 1
  };

  struct Training;

  static uint64_t key(Pair pair) { return MergeTable::key(pair); }
  static WrittenMerge split_merge(const std::string& text, int64_t line, const std::string& source);
  static std::vector<WrittenMerge> merges_of(const Json& list, const std::string& source);
  static Bpe from_parts(const Json& vocab, const std::string& vocab_source,
                        const std::vector<WrittenMerge>& merges, const std::string& merges_source);
  void add_merge(Pair pair, int32_t token);
  void encode_piece(std::string_view piece, std::vector<int32_t>& out) const;
  std::string written(int32_t id) const;

  std::vector<std::string> tokens_;         // bytes, by id
  std::array<int32_t, 256> byte_tokens_{};  // id of each single byte
  std::vector<Pair> merges_;                // by rank
  MergeTable merge_of_;
  std::unordered_map<std::string, int32_t> specials_;
  mutable WordCache cache_;
};

}  // namespace tarsier::zoo
