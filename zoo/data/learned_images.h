#pragma once
// The part of a task that is the same for all models of labelled images: how its data are read, what
// the model knows of them, and what is said of them.

#include <string>
#include <vector>

#include "../../autograd/io/json.h"
#include "image_folder.h"

namespace tarsier::zoo {

struct LearnedImages {
  /// What it reads, for the list of models.
  static constexpr const char* kData =
      "generated digits, or --data DIR: a folder of pictures for each class, tables of pictures "
      "and labels, the files of MNIST, Fashion-MNIST or CIFAR-10";

  // What the model knows once it has learned.
  int64_t channels = 1, height = 0, width = 0;
  std::vector<std::string> names;  ///< of the classes
  bool signs = false;              ///< as in ImageFolder
  // What it is used with.
  Images train, val, test;

  /// Where pictures and classes stand in a table.
  void add_data_settings(Settings& settings) { columns_.add_to(settings); }
  /// The size that pictures are fitted into.
  void add_settings(Settings& settings);

  /// The data at `path`, or digits for "". A model that knows its data gets all others in its own
  /// form; one that does not, in sides that are whole multiples of `multiple` pixels.
  ImageFolder read(const std::string& path, int64_t multiple);
  void learn(const ImageFolder& data);
  /// Takes the images, with the numbers that their classes have in `names`.
  void use(ImageFolder data);

  /// Sets what of a model follows from its data.
  template <class Config>
  void fit(Config& config) const {
    config.channels = channels;
    config.image_size = {height, width};
    config.classes = std::ssize(names);
  }

  /// Channels, height, width and names.
  Json::Object known() const;
  void restore(const Json& data);
  /// The number of images, and a fingerprint.
  Json::Object mark() const;

  /// The test images, or those of validation if there are none.
  const Images& unseen() const { return test.size() > 0 ? test : val; }
  /// "'mnist': 8,100 images of 28 × 28 to train on, 900 to validate, 10 classes".
  std::string facts() const;
  /// On pictures that were left out; "" if none were.
  const std::string& remark() const { return remark_; }

 private:
  ClassColumns columns_;
  int64_t image_size_ = 0;
  std::string source_, remark_;
  int64_t resized_ = 0;
};

}  // namespace tarsier::zoo
