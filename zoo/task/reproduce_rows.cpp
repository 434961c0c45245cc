// The rows of the zoo: what each model should reach, next to what was published.
#include <algorithm>

#include "zoo/task/models.h"
#include "zoo/task/reproduce.h"

namespace tarsier::zoo {

namespace {

std::vector<ReproduceRow> rows_of_texts_and_images() {
  return {
      {"transformer",
       "transformer",
       "",
       {},
       {{{"exact", 99.5, 2, "%", true}, "none: the dates are generated"}}},
      {"translation",
       "translation",
       "multi30k",
       {{"source", "de"}, {"target", "en"}},
       {{{"BLEU", 36.1, 2, "", true},
         "36.09 (bentrevett/pytorch-seq2seq, Attention is All You Need)"}}},
      {"sentiment",
       "sentiment",
       "movie-reviews",
       {},
       {{{"accuracy", 77.5, 2, "%", true},
         "76.1 (CNN-rand, Kim 2014), 79.4 (NBSVM, Wang & Manning 2012)"}}},
      {"vit",
       "vit",
       "mnist",
       {},
       {{{"accuracy", 98.3, 2, "%", true}, "96.9 (a plain ViT in PyTorch, on the same images)"}}},
      {"gpt",
       "gpt",
       "tinyshakespeare/input.txt",
       {},
       {{{"val_loss", 1.90, 4, "", false},
         "1.88 (nanoGPT's README, from 20 batches of the validation part)"}}},
      {"gpt-fast",
       "gpt-fast",
       "tinyshakespeare/input.txt",
       {},
       {{{"val_loss", 1.60, 4, "", false}, "1.88 (nanoGPT's README: its recipe for a CPU)"}}},
  };
}

std::vector<ReproduceRow> rows_of_pictures_and_texts() {
  return {
      {"image-gpt",
       "image-gpt-letters",
       "image-generation/omniglot",
       {},
       {{{"nats", 60, 2, "", false},
         "none for this split; boosted trees on 24 neighbours reach 68.5"}}},
      {"diffusion",
       "diffusion",
       "mnist",
       {},
       {{{"recognised", 97, 2, "%", true}, "none for these data"}},
       {{"reader", "vit"}}},
      {"detection",
       "detection-cells",
       "object-detection",
       {},
       {{{"AP50", 0.60, 3, "", true},
         "none at this size; colour blobs reach 0.397, YOLOv7 on other splits at 416 pixels "
         "0.906"}}},
      {"segmentation",
       "segmentation-street",
       "image-segmentation",
       {},
       {{{"mIoU", 0.42, 3, "", true},
         "none at this size; boosted trees reach 0.282, ENet and ESPNet at 480 × 360 .51 to .56"},
        {{"pixel accuracy", 0.82, 3, "", true}, "none; boosted trees 0.701"}}},
      {"captioning",
       "captioning-emoji",
       "image-captioning",
       {},
       {{{"exact", 65, 2, "%", true},
         "none for these data; the nearest picture and a regression for the tone 41.4"},
        {{"BLEU", 82, 2, "", true}, "none; the same 64.5"}}},
      {"clip",
       "clip",
       "image-captioning",
       {},
       {{{"image-to-text R@1", 0.975, 3, "", true},
         "none for these data; a linear map to words .946"},
        {{"text-to-image R@1", 0.960, 3, "", true}, "none; the same .888"}}},
  };
}

std::vector<ReproduceRow> rows_of_sound_music_and_users() {
  return {
      {"speech",
       "speech",
       "speech-recognition",
       {},
       {{{"accuracy", 99.0, 2, "%", true},
         "97.7 (MFCC + logistic regression, the same 1,080 recordings)"},
        {{"WER", 1.5, 2, "%", false}, "none: the strings are made for this project"}}},
      {"music",
       "music",
       "music-generation",
       {},
       {{{"nats", 0.42, 3, "", false},
         "0.335, and 0.417 without relative positions, in validation (Huang et al. 2018)"}}},
      {"music-chords",
       "music-chords",
       "music-generation",
       {},
       {{{"nats", 8.10, 3, "", false},
         "8.10 (TCN, Bai et al. 2018: nats a step, each key on its own)"}}},
      {"recommend",
       "recommend",
       "recommendation/beauty.txt",
       {},
       {{{"HR@10", 0.0810, 4, "", true},
         "0.0605 (SASRec in TIGER's paper), 0.0810 (SASRec with full cross-entropy, a later "
         "rerun)"},
        {{"NDCG@10", 0.0457, 4, "", true}, "0.0318 and 0.0457 (the same)"}}},
      {"question-answering",
       "question-answering",
       "question-answering",
       {},
       {{{"error", 12.4, 1, "%", false},
         "12.4 (MemN2N), 8.5 (Universal Transformer), both without swapped names"}}},
      {"summarize",
       "summarize",
       "summarization",
       {},
       {{{"ROUGE", 40, 1, "", true}, "none for these data; their first sentences reach 33.0"},
        {{"ROUGE-2", 22, 1, "", true}, "none; first sentences 16.8"},
        {{"ROUGE-L", 37, 1, "", true}, "none; first sentences 29.4"}}},
  };
}

}  // namespace

const std::vector<ReproduceRow>& reproduce_rows() {
  static const std::vector<ReproduceRow> rows = [] {
    std::vector<ReproduceRow> all;
    for (const auto& part : {rows_of_texts_and_images(), rows_of_pictures_and_texts(),
                             rows_of_sound_music_and_users()})
      all.insert(all.end(), part.begin(), part.end());
    std::erase_if(all, [](const ReproduceRow& row) {
      return std::none_of(models().begin(), models().end(),
                          [&](const ModelEntry& entry) { return entry.name == row.model; });
    });
    return all;
  }();
  return rows;
}

}  // namespace tarsier::zoo
