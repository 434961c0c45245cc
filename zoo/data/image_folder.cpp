#include "zoo/data/image_folder.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <tuple>
#include <utility>

#include "autograd/base/error.h"
#include "zoo/base/format.h"
#include "zoo/data/lines.h"
#include "zoo/data/picture_files.h"
#include "zoo/data/rows.h"
#include "zoo/task/task.h"

namespace tarsier::zoo {

namespace fs = std::filesystem;

namespace {

/// The files of MNIST and CIFAR-10 in a folder.
class BinaryFiles {
 public:
  explicit BinaryFiles(std::string folder) : folder_(std::move(folder)) {}

  std::string path(const std::string& name) const { return (fs::path(folder_) / name).string(); }

  bool has(const std::string& name) const {
    return file_exists(path(name)) || file_exists(path(name + ".gz"));
  }

  /// The path of a file that must be there.
  std::string need(const std::string& name) const {
    if (file_exists(path(name))) return path(name);
    if (file_exists(path(name + ".gz")))
      fail("data", "'", path(name + ".gz"), "' is compressed: unpack it with gunzip first");
    fail("data", "there is no '", name, "' in '", folder_, "', which holds ",
         describe_folder(folder_), "; supported are a folder for each class with pictures in it, ",
         "train.tsv with images and labels, the files of MNIST (train-images-idx3-ubyte, …",
         ") and ", "those of CIFAR-10 (data_batch_1.bin, …)");
  }

  ImageFolder cifar10() const {
    std::vector<std::string> batches;
    for (int i = 1; i <= 5; ++i) batches.push_back(need(concat("data_batch_", i, ".bin")));
    ImageFolder out{.train = read_cifar10(batches),
                    .val = {},
                    .test = read_cifar10({need("test_batch.bin")}),
                    .names = {}};
    if (file_exists(path("batches.meta.txt")))
      for (const std::string& line : read_lines(path("batches.meta.txt")))
        if (!is_blank(line)) out.names.push_back(line);
    return out;
  }

  ImageFolder mnist() const {
    const auto read = [&](const std::string& part) {
      const std::string images = need(part + "-images-idx3-ubyte");
      return read_idx(images, need(part + "-labels-idx1-ubyte"));
    };
    Images train = read("train");
    return {.train = std::move(train), .val = {}, .test = read("t10k"), .names = {}, .signs = true};
  }

  /// Compares sizes and classes, and numbers the classes that have no names.
  void check_and_name(ImageFolder& data) const {
    check(data.train.height == data.test.height && data.train.width == data.test.width, "data", "'",
          folder_, "' has training images of ", data.train.height, " × ", data.train.width,
          " pixels and test images of ", data.test.height, " × ", data.test.width);
    const int64_t classes =
        1 + *std::max_element(data.train.labels.begin(), data.train.labels.end());
    for (int64_t i = 0; i < data.test.size(); ++i) {
      const int64_t label = data.test.labels[static_cast<size_t>(i)];
      check(label < classes, "data", "test image ", i, " of '", folder_, "' has label ", label,
            ", which no training image has");
    }
    check(data.names.empty() || std::ssize(data.names) >= classes, "data", "'",
          path("batches.meta.txt"), "' has ", data.names.size(), " names for ", classes,
          " classes");
    for (int64_t c = 0; c < classes && std::ssize(data.names) < classes; ++c)
      data.names.push_back(std::to_string(c));
  }

 private:
  std::string folder_;
};

bool is_in_form(const Images& images, const ImageForm& form) {
  return (form.channels == 0 || images.channels == form.channels) && images.height == form.height &&
         images.width == form.width;
}

ImageFolder read_pictures(const std::string& path, ImageForm form, const ClassColumns& columns) {
  const ClassedPictures listed = list_pictures(path, columns);
  ImageFolder out;
  out.names = listed.names;
  out.columns = listed.columns;
  if (const auto count = std::ssize(listed.left_out); count > 0)
    out.remark = concat(counted(count, "picture"), " outside the folders of classes left out (",
                        count == 1 ? "" : "the first: ", "'", listed.left_out.front(), "')");
  for (const auto& [pictures, images] : {std::pair{&listed.parts.train, &out.train},
                                         {&listed.parts.val, &out.val},
                                         {&listed.parts.test, &out.test}}) {
    if (pictures->empty()) continue;
    FittedPictures fitted(form);
    for (const ClassedPicture& picture : *pictures) {
      const auto label = std::lower_bound(out.names.begin(), out.names.end(), picture.label);
      fitted.add(read_picture_at(picture.path, picture.place), label - out.names.begin());
    }
    int64_t resized = 0;
    std::tie(*images, resized) = fitted.all();
    out.resized += resized;
    form.channels = images->channels, form.height = images->height, form.width = images->width;
  }
  return out;
}

}  // namespace

ImageFolder read_image_folder(const std::string& path, const ImageForm& form,
                              const ClassColumns& columns) {
  std::error_code ignored;
  check(fs::exists(path, ignored), "data", "there is no '", path,
        "': give a folder with a folder for each class, or with MNIST's or CIFAR-10's files");
  const BinaryFiles files(path);
  const bool binary = files.has("data_batch_1.bin") || files.has("train-images-idx3-ubyte");
  if (!binary && has_classed_pictures(path)) return read_pictures(path, form, columns);
  ImageFolder out = files.has("data_batch_1.bin") ? files.cifar10() : files.mnist();
  files.check_and_name(out);
  return out;
}

void fit_images(ImageFolder& data, const ImageForm& form) {
  if (form.height == 0) return;
  for (Images* part : {&data.train, &data.val, &data.test})
    if (part->size() > 0 && !is_in_form(*part, form)) {
      FittedPictures fitted(form);
      for (int64_t i = 0; i < part->size(); ++i)
        fitted.add(part->picture(i), part->labels[static_cast<size_t>(i)]);
      int64_t resized = 0;
      std::tie(*part, resized) = fitted.all();
      data.resized += resized;
    }
}

ImageFolder with_validation(ImageFolder data) {
  if (data.val.size() > 0) return data;
  const Images all = std::move(data.train);
  const std::vector<int64_t> order = permutation(all.size(), kSplitKey);
  const int64_t first = all.size() * 9 / 10;
  data.train = select(all, order, 0, first);
  data.val = select(all, order, first, all.size());
  return data;
}

void renumber_classes(ImageFolder& data, const std::vector<std::string>& names,
                      const std::string& source) {
  bool known = true, numbered = data.names.size() == names.size();
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < data.names.size(); ++i) {
    const auto found = std::find(names.begin(), names.end(), data.names[i]);
    known = known && found != names.end();
    numbered = numbered && data.names[i] == std::to_string(i);
    numbers.push_back(found - names.begin());
  }
  if (!known && numbered) std::iota(numbers.begin(), numbers.end(), 0);
  for (size_t i = 0; i < numbers.size(); ++i)
    check(numbers[i] < std::ssize(names), "data", source, " has the class '", data.names[i],
          "', which the model does not know; it knows ", list_of(names));
  for (Images* part : {&data.train, &data.val, &data.test})
    for (int64_t& label : part->labels) label = numbers[static_cast<size_t>(label)];
  data.names = names;
}

}  // namespace tarsier::zoo
