#include "zoo/music/task.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>

#include "autograd/io/json.h"
#include "autograd/io/utf8.h"
#include "zoo/audio/synth.h"
#include "zoo/base/format.h"
#include "zoo/base/usage_error.h"
#include "zoo/data/fingerprint.h"
#include "zoo/data/lines.h"
#include "zoo/data/text.h"
#include "zoo/music/generate.h"
#include "zoo/music/midi_score.h"
#include "zoo/music/model.h"
#include "zoo/music/pieces.h"
#include "zoo/music/roll.h"
#include "zoo/music/windows.h"
#include "zoo/report/parts.h"

namespace tarsier::zoo::music {

namespace {

class MusicTask : public TaskOf<MusicTransformer, PieceFiles> {
 public:
  /// Sizes and rates were found by experiment: README.md.
  MusicTask(const std::string& name, Grid grid) : TaskOf(name), grid_(grid) {
    recipe.optimizer = "muon";
    recipe.schedule = "linear";
    recipe.steps = 3000;
    recipe.batch_size = 8;
    recipe.learning_rate = 3e-3;
    recipe.min_learning_rate = 1e-5;
    recipe.warmup_steps = 50;
    recipe.eval_every = 1000;
    recipe.checkpoint_every = 100;
    recipe.ema_decay = 0.99;
    config_.dropout = 0.25;
    if (grid == Grid::chords) {  // a quarter of the notes to learn from
      recipe.steps = 1000;
      recipe.eval_every = 200;
      config_.window = 128;
      config_.echo = true;
      config_.dropout = 0.3;
    }
  }

  std::string items() const override { return "notes"; }

  // ---- training ----

  /// The number of adjacent windows in the pieces.
  int64_t training_examples() const override {
    return data_.train.empty() ? 0 : std::max<int64_t>(1, notes_ / config_.window);
  }

  /// Windows are drawn at random and may repeat.
  int64_t largest_batch() const override { return recipe.batch_size; }

  Batch batch(int64_t number, uint64_t seed) override {
    return training_batch(*facts_, data_.train, range_, {-down_, up_}, {seed, kBatchStream}, number,
                          recipe.batch_size, config_.window);
  }

  Tensor loss(const Batch& batch) override {
    return model().loss(batch["facts"], batch["targets"]);
  }

  /// The notes that are read and predicted by the names of the pitches.
  StudyInput study_input(int64_t length, uint64_t seed) override {
    const Batch drawn = training_batch(*facts_, data_.train, range_, {}, {seed, kBatchStream}, 1, 1,
                                       std::min(length, config_.window));
    StudyInput input{.batch = drawn};
    const std::vector<std::string> next = names(drawn["targets"]);
    std::vector<std::string> before{"…"};
    before.insert(before.end(), next.begin(), next.end() - 1);
    input.labels = {{"notes", before}, {"next", next}};
    input.description = counted(drawn.items, "note");
    return input;
  }

  Metrics validate() override { return {{.name = "val_loss", .value = nats(data_.val)}}; }

  /// Nats a note, or for chords nats a step, as they are published.
  Metrics evaluate() override {
    const bool chords = grid_ == Grid::chords;
    const double voices = chords ? static_cast<double>(config_.voices) : 1;
    return {{.name = "nats",
             .value = voices * nats(data_.test),
             .digits = 3,
             .note = chords ? "a step" : ""}};
  }

  // ---- use ----

  /// An input is a MIDI file, a file of notes on a grid, or such notes themselves, a piece a line;
  /// without one the model begins on its own. Voices that a piece lacks are added.
  void predict(const std::vector<std::string>& inputs, std::ostream& out, std::ostream*) override {
    const std::string ending = std::filesystem::path(out_).extension().string();
    if (!out_.empty() && ending != ".mid" && ending != ".midi" && ending != ".wav")
      usage_fail("predict", "--out is '", out_, "': expected a name that ends in .mid or .wav");
    std::vector<Score> pieces;
    for (const std::string& input : inputs)
      for (Score& piece : given(input)) pieces.push_back(std::move(piece));
    if (!out_.empty() && pieces.size() > 1)
      usage_fail("predict", "--out is one file, but there are ", pieces.size(), " pieces");
    for (const Score& piece : pieces) {
      if (piece.notes.empty() && bars_ == 0)
        usage_fail("predict", "--bars is 0 and no notes are given: there is nothing to write");
      const Score score = continued(piece);
      if (out_.empty()) {
        out << grid_text(score) << std::endl;
        continue;
      }
      const Midi midi = midi_of(score, {steps_per_beat(grid_), tempo_});
      if (ending == ".wav") {
        write_wav(out_, synthesise(midi));
      } else {
        write_midi(out_, midi);
      }
      out << out_ << ": " << counted((score.steps() - 1) / bar() + 1, "bar") << std::endl;
    }
  }

  bool continues_text() const override { return true; }

  void show_sample(std::ostream& out) override {
    const Score score = sample({.voices = config_.voices}, 4 * bar());
    for (int64_t v = 0; v < score.voices; ++v) {
      out << " ";
      for (int64_t step = 0; step < score.steps(); step += steps_per_beat(grid_))
        out << (step > 0 && step % bar() == 0 ? " | " : " ") << note_name(score.at(step, v));
      out << "\n";
    }
  }

  void report(Page& page) override {
    page.section("What it writes");
    page.paragraph("Each voice has a colour. Held and repeated notes look the same.");
    page.figure({piano_roll(sample({.voices = config_.voices}, 8 * bar()), bar(), 0, "a sample"),
                 "Eight bars from nothing."});
    Score opening = data_.val.front();
    opening.notes.resize(
        static_cast<size_t>(std::min(opening.steps(), 4 * bar()) * opening.voices));
    const int64_t given = opening.steps();
    page.figure({piano_roll(sample(opening, 4 * bar()), bar(), given, "a continuation"),
                 "The pale bars are the beginning of a validation piece; the model goes on."});

    page.section("Where it looks");
    const int64_t T = std::min({int64_t{48}, config_.window, data_.val.front().size()});
    const Batch window = window_batch(*facts_, {{&data_.val.front(), 0, T}});
    add_attention(page, model().attention(window["facts"]), names(window["targets"]),
                  "The first notes of a validation piece. Each row is a note to be predicted, each "
                  "column what was known before that note, in the last layer, averaged over the "
                  "heads.");
  }

  std::optional<Choice> choice() const override { return Choice{facts_->notes(), "notes"}; }

 protected:
  // ---- data ----

  PieceFiles read(const std::string& path) override {
    return path.empty() ? generated_pieces(grid_) : read_pieces(path, grid_);
  }

  /// The range of all parts: a validation piece may have notes that are in no training piece.
  void learn(const PieceFiles& data) override {
    std::vector<Score> all = data.train;
    for (const std::vector<Score>* part : {&data.val, &data.test})
      all.insert(all.end(), part->begin(), part->end());
    range_ = Range(all, data.voices());
  }

  void use(PieceFiles data) override {
    check(data.voices() == static_cast<int64_t>(range_.voices.size()), "data", data.source, " has ",
          counted(data.voices(), "voice"), ", but the model knows ", range_.voices.size());
    facts_.emplace(data.voices(), range_.low(), range_.high(), bar(), config_.echo);
    notes_ = 0;
    for (const std::vector<Score>* part : {&data.train, &data.val, &data.test})
      for (const Score& score : *part)
        for (const int32_t note : score.notes) facts_->index_of(note);  // reports unknown ones
    for (const Score& score : data.train) notes_ += score.size();
    data_ = std::move(data);
  }

  Json::Object known() const override {
    Json::Array voices;
    for (const Range::Voice& voice : range_.voices)
      voices.emplace_back(Json::Array{int64_t{voice.low}, int64_t{voice.high}});
    return {{"voices", std::move(voices)}};
  }
  void restore(const Json& data) override {
    range_.voices.clear();
    for (const Json& voice : data["voices"].as_array())
      range_.voices.push_back({static_cast<int32_t>(voice.as_array().at(0).as_int()),
                               static_cast<int32_t>(voice.as_array().at(1).as_int())});
  }
  Json::Object mark() const override {
    Fingerprint fingerprint;
    for (const std::vector<Score>* part : {&data_.train, &data_.val})
      for (const Score& score : *part) fingerprint.add(score.notes);
    return {{"notes", notes_}, {"fingerprint", fingerprint.text()}};
  }

  // ---- model and settings ----

  std::unique_ptr<MusicTransformer> make_model(Generator& generator) override {
    config_.voices = static_cast<int64_t>(range_.voices.size());
    config_.low = range_.low();
    config_.high = range_.high();
    config_.bar = bar();
    return std::make_unique<MusicTransformer>(config_, generator);
  }

  void add_data_settings(Settings& settings) override {
    settings.add_choice("grid", grid_, "parts in sixteenths, or chords in quarters",
                        {{"parts", Grid::parts}, {"chords", Grid::chords}});
  }

  void add_settings(Settings& settings) override {
    settings.add("layers", config_.layers, "layers", 1, 1000);
    settings.add("heads", config_.heads, "attention heads; must divide width");
    settings.add("width", config_.width, "width of the stream between the layers");
    settings.add("mlp_width", config_.mlp_width, "width inside a layer's MLP");
    settings.add("window", config_.window, "notes that the prediction of a note sees", 1, 1 << 20);
    settings.add("echo", config_.echo, "tell what followed where the same was heard before");
    settings.add("beats", beats_, "beats of a bar", 1, 64);
    settings.add("dropout", config_.dropout, "fraction of activations dropped in training", 0,
                 0.99);
    settings.add("down", down_, "semitones that training shifts a piece down, at most", 0, 24);
    settings.add("up", up_, "semitones that training shifts a piece up, at most", 0, 24);
  }

  void add_predict_options(Settings& options) override {
    options.add("bars", bars_, "bars to write", 0, 1000);
    options.add("out", out_, "the file to write, .mid or .wav", {});
    options.add("tempo", tempo_, "beats a minute", 4, 1000);
    sampling_.add_to(options, "music");
  }

  std::string model_facts() const override {
    return concat(counted(config_.layers, "layer"), ", ", counted(config_.heads, "head"), ", ",
                  config_.width, " wide, window ", config_.window);
  }
  std::string data_facts() const override {
    return concat(data_.source, ": ", with_commas(static_cast<int64_t>(data_.train.size())),
                  " pieces with ", with_commas(notes_), " notes to train on, ", data_.val.size(),
                  " to validate, ", data_.test.size(), " to test; ",
                  counted(config_.voices, "voice"));
  }
  std::string cut_facts() const override {
    if (data_.left_out == 0) return "";
    return concat(counted(data_.left_out, "piece"), data_.left_out == 1 ? " has" : " have",
                  " more than twice as many voices as nine of ten pieces need: left out");
  }
  std::string batch_facts() const override {
    return concat(recipe.batch_size, " × ", counted(config_.window, "note"));
  }

 private:
  int64_t bar() const { return beats_ * steps_per_beat(grid_); }

  /// The mean over all notes of the pieces, each predicted once.
  double nats(const std::vector<Score>& pieces) {
    const NoGrad no_grad;
    double sum = 0, count = 0;
    for_each_window(pieces, config_.window, [&](const std::vector<Window>& windows) {
      const Batch batch = window_batch(*facts_, windows);
      sum += loss(batch).item() * batch.weight;
      count += batch.weight;
    });
    return sum / count;
  }

  /// The pieces that an input of predict() holds; one without notes for a blank input.
  std::vector<Score> given(const std::string& input) const {
    if (is_blank(input)) return {{.voices = config_.voices}};
    if (file_exists(input)) {
      const std::string bytes = read_text_file(input);
      check(!bytes.starts_with("RIFF"), "data", "'", input,
            "' is a RIFF file, such as sound (WAV): expected a MIDI file, or notes on a grid");
      if (bytes.starts_with("MThd"))
        return {score_of(parse_midi(bytes, input), steps_per_beat(grid_), input)};
      check(is_utf8(bytes), "data", "'", input,
            "' is neither a MIDI file, which begins with MThd, nor notes on a grid, such as "
            "72,67,60,48");
      return read_grid(bytes, input, grid_, config_.voices);
    }
    check(std::string_view("-0123456789 \t\r\n").find(input[0]) != std::string_view::npos, "data",
          "there is no file '", beginning_of(input),
          "', and it is no notes on a grid either, such as 72,67,60,48");
    return read_grid(input, "the input", grid_, config_.voices);
  }

  /// The piece, accompanied if it lacks voices, and as many bars more as requested.
  Score continued(const Score& given) {
    check(given.voices <= config_.voices, "predict", "the piece has ",
          counted(given.voices, "voice"), ", but the model knows ", config_.voices,
          ": leave out parts");
    Score score{.voices = config_.voices};
    for (int64_t step = 0; step < given.steps(); ++step)
      for (int64_t v = 0; v < score.voices; ++v)
        score.notes.push_back(v < given.voices ? given.at(step, v) : kOpen);
    return with_more(std::move(score), bars_ * bar(), sampling_.chosen());
  }

  Score sample(Score opening, int64_t steps) {
    return with_more(std::move(opening), steps, gpt::Sampling());
  }

  Score with_more(Score score, int64_t steps, const gpt::Sampling& sampling) {
    score.notes.resize(score.notes.size() + static_cast<size_t>(steps * score.voices), kOpen);
    return written(model(), std::move(score), sampling);
  }

  /// Notes by number, as people call them.
  std::vector<std::string> names(const Tensor& notes) const {
    std::vector<std::string> all;
    for (const int64_t note : notes.to_vector<int64_t>())
      all.push_back(note_name(facts_->note_of(note)));
    return all;
  }

  Config config_;
  Grid grid_;
  int64_t beats_ = 4, down_ = 5, up_ = 6;
  Range range_;
  PieceFiles data_;
  std::optional<Facts> facts_;
  int64_t notes_ = 0;  // of the training part
  gpt::SamplingOptions sampling_;
  int64_t bars_ = 16;
  double tempo_ = 80;
  std::string out_;
};

}  // namespace

std::vector<ModelEntry> models() {
  return {{"music", "music", "chorales",
           "to write chorales in four parts, to continue pieces and accompany melodies",
           "chorales made by rules, or --data PATH: notes on a grid, or a folder of MIDI files",
           "0.376 nats a note of Bach's chorales", "seven minutes on two cores",
           make_task_of<MusicTask, Grid::parts>},
          {"music-chords", "music", "chords", "to write chorales a beat at a time, as chords",
           "chorales made by rules, or --data PATH: chords on a grid, or a folder of MIDI files",
           "4.47 nats a beat of Bach's chorales", "a minute on two cores",
           make_task_of<MusicTask, Grid::chords>}};
}

}  // namespace tarsier::zoo::music
