#include "zoo/speech/task.h"

#include <algorithm>
#include <map>

#include "autograd/io/json.h"
#include "zoo/audio/resample.h"
#include "zoo/base/format.h"
#include "zoo/base/limits.h"
#include "zoo/data/fingerprint.h"
#include "zoo/metrics/error_rate.h"
#include "zoo/speech/decode.h"
#include "zoo/speech/examples.h"
#include "zoo/speech/model.h"
#include "zoo/speech/pictures.h"

namespace tarsier::zoo::speech {

namespace {

/// The stream of random numbers that changes the recordings.
constexpr uint64_t kAugmentStream = uint64_t{3} << 62;
/// Sound of a higher rate than this has nothing more to say about words.
constexpr int64_t kHighestRate = 16'000;

class SpeechTask : public TaskOf<SpeechRecognizer, SpeechData> {
 public:
  explicit SpeechTask(const std::string& name) : TaskOf(name) {
    recipe.optimizer = "muon";
    recipe.epochs = 50;
    recipe.batch_size = 16;
    recipe.learning_rate = 3e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.weight_decay = 0.05;
    recipe.beta2 = 0.98;
    recipe.ema_decay = 0.995;
    recipe.eval_every = 0;
    config_.channels = 32;
    config_.dropout = 0.1;
    tokens_.min_count = 1;
  }

  std::string items() const override { return "recordings"; }

  // ---- training ----

  int64_t training_examples() const override {
    return static_cast<int64_t>(train_.examples.size());
  }

  Batch batch(int64_t number, uint64_t seed) override {
    return training_batch(train_, drawn(number, seed), features_, augmentation_,
                          {seed, kAugmentStream + static_cast<uint64_t>(number)});
  }

  /// A single recording, if there are any, as it is.
  StudyInput study_input(int64_t length, uint64_t seed) override {
    const int64_t singles = train_.singles, first = first_drawn(seed);
    const Example& example =
        train_.examples[static_cast<size_t>(singles > 0 ? first % singles : first)];
    Frames frames = features_(example.samples);
    const int64_t most = 4 * std::max(length, moments_needed(example.tokens));
    frames.count = std::min(frames.count, most);
    frames.values.resize(static_cast<size_t>(frames.count * frames.width));
    StudyInput input{.batch = batch_of({frames}, {example.tokens})};
    const int64_t moments = moments_of(frames.count);
    std::vector<std::string> times, tokens;
    for (int64_t t = 0; t < moments; ++t)
      times.push_back(fixed(features_.seconds_of(4 * t), 2) + " s");
    for (int32_t id = 0; id < static_cast<int32_t>(tokenizer_->size()); ++id)
      tokens.push_back(shown(id));
    // "tokens" are the positions that attention connects, "classes" what the loss chooses among.
    input.labels = {{"tokens", times}, {"classes", tokens}};
    input.description =
        concat(fixed(features_.seconds_of(frames.count), 2), " seconds, “", example.text, "”");
    return input;
  }

  Tensor loss(const Batch& batch) override {
    const Tensor log_probs = model()(batch["frames"], batch["lengths"]);
    return ctc_loss(transpose(log_probs, 0, 1), batch["targets"], moments_of(batch["lengths"]),
                    batch["target_lengths"], kBlank, Reduction::mean, /*zero_infinity=*/true);
  }

  Metrics validate() override {
    Metrics all = measure(validation_, 1, "val_loss");
    // The loss decides which weights are kept: few recordings give few errors.
    std::rotate(all.begin(), all.end() - 1, all.end());
    return all;
  }
  Metrics evaluate() override {
    return measure(test_.size() > 0 ? test_ : validation_, beams_, "loss");
  }

  // ---- use ----

  void show_sample(std::ostream& out) override {
    const NoGrad no_grad;
    const size_t count = validation_.all.size();
    for (size_t i = 0; i < std::min<size_t>(6, count); ++i) {
      const Example& one = validation_.all[i * count / std::min<size_t>(6, count)];
      out << "  " << one.text << "  heard as  " << heard({features_.rate(), one.samples}) << "\n";
    }
  }

  void report(Page& page) override {
    const NoGrad no_grad;
    add_recordings(page, validation_.all, heard_all(validation_.all, beams_).texts, model(),
                   features_, [this](int32_t id) { return shown(id); });
  }

  std::string example_input() const override { return "recording.wav"; }

 protected:
  // ---- data ----

  SpeechData read(const std::string& path) override {
    source_ = path.empty() ? "digits spoken by the program" : "'" + path + "'";
    return path.empty() ? spoken_digits_data() : read_speech(path, columns_);
  }

  void learn(const SpeechData& data) override {
    std::vector<std::string> texts;
    std::map<int64_t, int64_t> rates;
    for (const std::vector<Utterance>* part : {&data.train.single, &data.train.strings})
      for (const Utterance& one : *part) {
        texts.push_back(one.text);
        ++rates[one.sound.rate];
      }
    tokenizer_ = Tokenizer::train(texts, tokens_);
    const auto usual = std::max_element(rates.begin(), rates.end(),
                                        [](auto& a, auto& b) { return a.second < b.second; });
    features_ = Features(std::min(usual->first, kHighestRate), mels_);
    std::vector<std::vector<float>> sounds;
    for (const std::vector<Utterance>* part : {&data.train.single, &data.train.strings})
      for (const Utterance& one : *part)
        sounds.push_back(resampled(one.sound, features_.rate()).samples);
    features_.learn(sounds);
  }

  void use(SpeechData data) override {
    if (!data.columns.empty()) source_ += ", columns " + data.columns;
    const auto examples = [&](std::vector<Utterance>& recordings) {
      return examples_of(std::move(recordings), *tokenizer_, features_.rate());
    };
    const auto part = [&](Split& split) {
      Part out;
      out.all = examples(split.single);
      out.singles = out.all.size();
      for (Example& one : examples(split.strings)) out.all.push_back(std::move(one));
      return out;
    };
    validation_ = part(data.val);
    test_ = part(data.test);
    Part train = part(data.train);
    train_ = {{}, 0, tokenizer_->encode(" ")};
    left_out_ = 0;
    for (size_t i = 0; i < train.all.size(); ++i) {
      const Example& one = train.all[i];
      if (!trainable(one)) {
        ++left_out_;
        continue;
      }
      train_.singles += i < train.singles;
      train_.examples.push_back(one);
    }
    check(!train_.examples.empty(), "data", source_, ": all training recordings are longer than ",
          "max_seconds=", max_seconds_, " or too short for their text");
  }

  Json::Object known() const override {
    return {{"tokenizer", tokenizer_->to_json()}, {"features", features_.to_json()}};
  }
  void restore(const Json& data) override {
    tokenizer_ = Tokenizer::from_json(data["tokenizer"]);
    features_ = Features::from_json(data["features"]);
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const std::vector<Example>* part : {&train_.examples, &validation_.all})
      for (const Example& one : *part)
        fingerprint.add(one.tokens)
            .add({reinterpret_cast<const char*>(one.samples.data()),
                  one.samples.size() * sizeof(float)});
    return {{"recordings", static_cast<int64_t>(train_.examples.size() + validation_.all.size())},
            {"fingerprint", fingerprint.text()}};
  }
  BatchSampler sampler(RandomKey key) const override {
    std::vector<int64_t> lengths;
    for (const Example& one : train_.examples)
      lengths.push_back(features_.frames(static_cast<int64_t>(one.samples.size())));
    return {lengths, {.examples = recipe.batch_size, .bucket = 50}, key};
  }

  // ---- model and settings ----

  std::unique_ptr<SpeechRecognizer> make_model(Generator& generator) override {
    config_.tokens = tokenizer_->size();
    config_.mels = features_.mels();
    return std::make_unique<SpeechRecognizer>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add("recording", columns_.path, "the column of the file names: name or number", {});
    settings.add("text", columns_.text, "the column of the texts: name or number", {});
    settings.add_choice("header", columns_.header, "whether line 1 names the columns",
                        {{"auto", Header::automatic}, {"yes", Header::yes}, {"no", Header::no}});
  }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers of the encoder", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("channels", config_.channels, "channels of the convolutions");
    settings.add("mels", mels_, "frequency bands of the spectrogram", 4, 1000);
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("max_seconds", max_seconds_, "longer recordings are read in pieces", 1, 600);
    settings.add("beams", beams_, "texts followed in parallel", 1, kMostBeams);
    settings.add("token_cost", token_cost_,
                 "beams: a longer text must be so many nats likelier for each token", 0, 100);
    settings.add("speed", augmentation_.speed, "training: up to so many percent faster or slower",
                 0, 50);
    settings.add("stretch", augmentation_.stretch,
                 "training: up to so many percent longer or shorter, at the same pitch", 0, 400);
    settings.add("gain", augmentation_.gain, "training: up to so many decibels louder or quieter",
                 0, 60);
    settings.add("noise", augmentation_.noise, "training: noise, as a share of the power", 0, 10);
    settings.add("join", augmentation_.join, "training: share of batches of joined recordings", 0,
                 1);
    settings.add("join_most", augmentation_.join_most, "training: how many are appended, at most",
                 1, 100);
    MaskingOptions& masking = augmentation_.masking;
    settings.add("frequency_masks", masking.frequency_masks, "training: bands hidden, how often", 0,
                 100);
    settings.add("frequency_width", masking.frequency_width, "training: bands hidden at once", 0);
    settings.add("time_masks", masking.time_masks, "training: frames hidden, how often", 0, 100);
    settings.add("time_width", masking.time_width, "training: frames hidden at once", 0);
    tokens_.add_to(settings);
  }

  void add_predict_options(Settings& options) override {
    options.add("beams", beams_, "texts followed in parallel; 1: greedy; default: the run's", 1,
                kMostBeams);
    options.add("token-cost", token_cost_,
                "a longer text must be so many nats likelier for each token; default: the run's", 0,
                100);
  }

  // ---- use ----

  /// The input is the path of a WAV file, the answer its text.
  std::string answer(const std::string& path) override {
    const NoGrad no_grad;
    const WavFile file(path);
    return path + "  " + heard(file.rate(), file.size(), [&](int64_t begin, int64_t count) {
             return file.samples(begin, count);
           });
  }

  void note(const std::string& path, std::ostream& notes) const override {
    const WavFile file(path);
    if (file.seconds() <= static_cast<double>(max_seconds_)) return;
    notes << "'" << path << "' lasts " << fixed(file.seconds(), 1)
          << " seconds: it is read in pieces of at most " << max_seconds_
          << " (max_seconds), cut where it is quietest\n";
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, ", with_commas(config_.tokens), " tokens");
  }
  std::string data_facts() const override {
    return concat(source_, ": ", with_commas(training_examples()), " recordings at ",
                  with_commas(features_.rate()), " Hz to train on, ",
                  with_commas(static_cast<int64_t>(validation_.all.size())), " to validate");
  }
  std::string batch_facts() const override { return concat(recipe.batch_size, " recordings"); }
  std::string cut_facts() const override {
    if (left_out_ == 0) return "";
    return concat(with_commas(left_out_),
                  " recordings, which are longer than max_seconds=", max_seconds_,
                  " or too short for their text, are not trained on");
  }

 private:
  /// The recordings of a split: the first `singles` are single, the others strings.
  struct Part {
    std::vector<Example> all;
    size_t singles = 0;

    size_t size() const { return all.size(); }
  };

  bool trainable(const Example& one) const {
    const auto samples = static_cast<int64_t>(one.samples.size());
    return samples <= max_seconds_ * features_.rate() &&
           moments_of(features_.frames(samples)) >= moments_needed(one.tokens);
  }

  /// A token as people read it.
  std::string shown(int32_t id) const { return id == kBlank ? "blank" : tokenizer_->show(id); }

  std::string text_of(const Tensor& log_probs, int64_t beams) const {
    std::vector<int32_t> tokens;
    if (beams > 1) {
      const std::vector<Transcript> texts = beam_texts(log_probs, beams);
      tokens = cheapest(texts, token_cost_).tokens;
    } else {
      for (const Span& span : greedy_spans(log_probs)) tokens.push_back(span.token);
    }
    return tokenizer_->decode(tokens);
  }

  /// The text of a recording, read in pieces if it is long.
  std::string heard(int64_t rate, int64_t size,
                    const std::function<Sound(int64_t begin, int64_t count)>& read) {
    std::string text;
    for_each_piece(size, max_seconds_ * rate, read, [&](const Sound& piece) {
      const Batch batch = batch_of({features_(piece)});
      const std::string words =
          text_of(select(model()(batch["frames"], batch["lengths"]), 0, 0), beams_);
      text += (text.empty() || words.empty() ? "" : " ") + words;
    });
    return text;
  }
  std::string heard(const Sound& sound) {
    return heard(sound.rate, static_cast<int64_t>(sound.samples.size()),
                 [&](int64_t begin, int64_t count) {
                   const auto first = sound.samples.begin() + begin;
                   return Sound{sound.rate, {first, first + count}};
                 });
  }

  struct Heard {
    std::vector<std::string> texts;
    double loss = 0;  // the mean over the recordings that are short enough for one piece
  };

  Heard heard_all(const std::vector<Example>& examples, int64_t beams) {
    const NoGrad no_grad;
    Heard out{std::vector<std::string>(examples.size())};
    std::vector<int64_t> lengths, whole;
    for (size_t i = 0; i < examples.size(); ++i) {
      if (!trainable(examples[i])) {
        out.texts[i] = heard({features_.rate(), examples[i].samples});
        continue;
      }
      whole.push_back(static_cast<int64_t>(i));
      lengths.push_back(static_cast<int64_t>(examples[i].samples.size()));
    }
    if (whole.empty()) return out;
    for (std::vector<int64_t> chosen : BatchSampler(lengths, {.examples = 32}, {}).all()) {
      for (int64_t& i : chosen) i = whole[static_cast<size_t>(i)];
      const Batch batch = plain_batch(examples, chosen, features_);
      const Tensor log_probs = model()(batch["frames"], batch["lengths"]),
                   moments = moments_of(batch["lengths"]);
      out.loss += ctc_loss(transpose(log_probs, 0, 1), batch["targets"], moments,
                           batch["target_lengths"], kBlank)
                      .item() *
                  batch.weight / static_cast<double>(whole.size());
      for (size_t b = 0; b < chosen.size(); ++b) {
        const Tensor one = select(log_probs, 0, static_cast<int64_t>(b));
        out.texts[static_cast<size_t>(chosen[b])] =
            text_of(slice(one, 0, 0, moments.to_vector<int64_t>()[b]), beams);
      }
    }
    return out;
  }

  /// Accuracy of single recordings, as whole texts; errors in the words of strings (validation: of
  /// everything), and in characters; the loss.
  Metrics measure(const Part& part, int64_t beams, const std::string& loss_name) {
    const Heard heard = heard_all(part.all, beams);
    std::vector<std::string> said;
    for (const Example& one : part.all) said.push_back(one.text);
    const auto from = [&](const std::vector<std::string>& texts, size_t begin, size_t end) {
      return std::vector<std::string>(texts.begin() + static_cast<int64_t>(begin),
                                      texts.begin() + static_cast<int64_t>(end));
    };
    size_t right = 0;
    const size_t counted = part.singles > 0 ? part.singles : part.size();
    for (size_t i = 0; i < counted; ++i) right += heard.texts[i] == said[i];
    const bool strings = loss_name == "loss" && part.singles < part.size();
    const size_t begin = strings ? part.singles : 0;
    const std::vector<std::string> texts = from(heard.texts, begin, part.size()),
                                   references = from(said, begin, part.size());
    const auto rate = [](const char* name, const ErrorRate& errors) {
      return Metric{name, 100 * errors.rate(), 2, "%", false};
    };
    return {percent("accuracy", static_cast<double>(right) / static_cast<double>(counted)),
            rate("WER", word_errors(texts, references)),
            rate("CER", character_errors(texts, references)),
            {.name = loss_name, .value = heard.loss}};
  }

  Config config_;
  Augmentation augmentation_;
  SpeechColumns columns_;
  TokenizerOptions tokens_;
  double token_cost_ = 1;
  int64_t mels_ = 40, beams_ = 8, max_seconds_ = 20, left_out_ = 0;
  std::string source_;
  std::unique_ptr<Tokenizer> tokenizer_;
  Features features_;
  TrainingSet train_;
  Part validation_, test_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"speech", "speech", "digits", "to write down what is said",
           "digits that the program speaks, or --data PATH: WAV files and a table of their texts",
           "99.4 % of spoken digits (FSDD), 0.9 % word errors in strings of them",
           "five minutes on one core", make_task_of<SpeechTask>}};
}

}  // namespace tarsier::zoo::speech
