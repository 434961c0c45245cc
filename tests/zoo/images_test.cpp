// Image sets (IDX, CIFAR-10), their batches, and augmentation.
#include "zoo/data/images.h"
#include "autograd/io/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "tests/data.h"
#include "tests/error_of.h"
#include "tests/zoo/pictures.h"
#include "tests/zoo/scratch.h"
#include "zoo/data/image_folder.h"
#include "zoo/data/sampler.h"

namespace tarsier::zoo {
namespace {

std::string bytes_of(std::initializer_list<int> values) {
  return std::string(values.begin(), values.end());
}

/// An IDX file of `count` images of 2 × 3 pixels 0, 1, 2, …
std::string idx_images(int count) {
  std::string out = bytes_of({0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 3});
  for (int i = 0; i < 6 * count; ++i) out += static_cast<char>(i);
  return out;
}

std::string idx_labels(std::initializer_list<int> labels) {
  return bytes_of({0, 0, 8, 1, 0, 0, 0, static_cast<int>(labels.size())}) + bytes_of(labels);
}

TEST_CASE("IDX: images and labels") {
  const Scratch scratch;
  const Images images =
      read_idx(scratch.write("i", idx_images(3)), scratch.write("l", idx_labels({7, 200, 0})));
  CHECK(images.size() == 3);
  CHECK(images.channels == 1);
  CHECK(images.height == 2);
  CHECK(images.width == 3);
  CHECK(images.labels == std::vector<int64_t>{7, 200, 0});
  CHECK(images.image(2)[5] == 17);
  CHECK(images.pixels.size() == 18);
  const Images alone = read_idx_images(scratch.path("i"));
  CHECK(alone.pixels == images.pixels);
  CHECK(alone.labels == std::vector<int64_t>{0, 0, 0});
}

TEST_CASE("IDX: errors name what is wrong, and where") {
  const Scratch scratch;
  const std::string labels = scratch.write("l", idx_labels({1, 2}));
  const std::string path = scratch.path("i");
  const auto message = [&](const std::string& bytes) {
    scratch.write("i", bytes);
    const std::string what = error_of([&] { read_idx(path, labels); });
    const std::string start = "[data] '" + path + "'";
    return what.starts_with(start) ? what.substr(start.size()) : what;
  };
  const std::string good = idx_images(2);
  CHECK(message(good) == "no error");
  CHECK(message(idx_labels({1, 2})) ==
        " begins with the bytes 0x00000801 where an IDX file of images has 0x00000803");
  CHECK(message("PNG and so on") ==
        " begins with the bytes 0x504E4720 where an IDX file of images has 0x00000803");
  CHECK(message("\x1F\x8B\x08 compressed") == " is compressed: unpack it with gunzip first");
  CHECK(message("") == " has 0 bytes, too few for the header of an IDX file");
  CHECK(message(good.substr(0, 15)) == " ends at byte 15, inside its header of 16 bytes");
  CHECK(message(good.substr(0, good.size() - 1)) ==
        " has 11 bytes after its header where 12 were expected: the file is cut off");
  CHECK(message(good + "x") == " has 13 bytes after its header where 12 were expected");
  CHECK(message(idx_images(3)) == " has 3 images and '" + labels + "' has 2 labels");
  // Sizes whose product does not fit into 64 bits.
  std::string huge = good;
  for (size_t i = 4; i < 16; ++i) huge[i] = '\xFF';
  CHECK(message(huge).find("the file is cut off") != std::string::npos);
  CHECK(error_of([&] {
          read_idx(scratch.write("i", idx_images(0)), scratch.write("l", idx_labels({})));
        }).find("has 0 images") != std::string::npos);
  CHECK(error_of([&] { read_idx(scratch.path("none"), labels); }).starts_with("[file]"));
}

TEST_CASE("CIFAR-10: records of several files") {
  const Scratch scratch;
  const Images images =
      read_cifar10({scratch.write("a", cifar_record(3, 10, 20, 255) + cifar_record(9, 1, 2, 3)),
                    scratch.write("b", cifar_record(0, 4, 5, 6))});
  CHECK(images.labels == std::vector<int64_t>{3, 9, 0});
  CHECK(images.channels == 3);
  CHECK(images.image(0)[2047] == 20);
  CHECK(images.image(0)[2048] == 255);
  CHECK(images.image(2)[0] == 4);
  const auto message = [&](const std::string& bytes) {
    const std::string path = scratch.write("c", bytes);
    return error_of([&] { read_cifar10({path}); }).substr(path.size() + 9);
  };
  CHECK(message(cifar_record(1, 2, 3, 4).substr(1)) ==
        " has 3072 bytes, not a whole number of CIFAR-10's records of 3073");
  CHECK(message("").starts_with(" has 0 bytes"));
  CHECK(message(cifar_record(1, 2, 3, 4) + cifar_record(10, 2, 3, 4)) ==
        ", byte 3073: label 10 where CIFAR-10 has 0 to 9");
}

TEST_CASE("a folder of images is MNIST's or CIFAR-10's") {
  const Scratch scratch;
  const std::string folder = scratch.path("");
  const auto message = [&] { return error_of([&] { read_image_folder(folder); }); };
  CHECK(message().starts_with("[data] there is no 'train-images-idx3-ubyte' in '" + folder +
                              "', which holds no files; supported are"));
  scratch.write("train-images-idx3-ubyte.gz", "x");
  CHECK(message().find("gunzip") != std::string::npos);
  scratch.write("train-images-idx3-ubyte", idx_images(3));
  scratch.write("train-labels-idx1-ubyte", idx_labels({0, 2, 1}));
  scratch.write("t10k-images-idx3-ubyte", idx_images(1));
  scratch.write("t10k-labels-idx1-ubyte", idx_labels({2}));
  CHECK(read_image_folder(folder).names == std::vector<std::string>{"0", "1", "2"});
  scratch.write("t10k-labels-idx1-ubyte", idx_labels({3}));
  CHECK(message() ==
        "[data] test image 0 of '" + folder + "' has label 3, which no training image has");
  std::string other = idx_images(1);
  std::swap(other[11], other[15]);
  scratch.write("t10k-images-idx3-ubyte", other);
  CHECK(message() ==
        "[data] '" + folder + "' has training images of 2 × 3 pixels and test images of 3 × 2");

  const Scratch cifar;
  for (int i = 1; i <= 5; ++i)
    cifar.write("data_batch_" + std::to_string(i) + ".bin", cifar_record(i - 1, 1, 2, 3));
  CHECK(error_of([&] { read_image_folder(cifar.path("")); }).find("test_batch.bin") !=
        std::string::npos);
  cifar.write("test_batch.bin", cifar_record(4, 1, 2, 3));
  CHECK(read_image_folder(cifar.path("")).train.size() == 5);
  CHECK(read_image_folder(cifar.path("")).names[4] == "4");
  cifar.write("batches.meta.txt", "plane\ncar\nbird\ncat\ndeer\ndog\n\n");
  CHECK(read_image_folder(cifar.path("")).names[4] == "deer");
  cifar.write("batches.meta.txt", "plane\ncar\n");
  CHECK(error_of([&] { read_image_folder(cifar.path("")); }).find("2 names for 5 classes") !=
        std::string::npos);
}

TEST_CASE("images of another size do not join a set") {
  Images images;
  images.append({1, 1, 2, {5, 6}}, 1);
  CHECK(error_of([&] {
          images.append({1, 2, 1, {5, 6}}, 1);
        }) == "[data] an image of 1 × 2 × 1 does not fit the others, which are 1 × 1 × 2");
  images.append({1, 1, 2, {7, 8}}, 0);
  CHECK(images.image(1)[0] == 7);
  const Images chosen = select(images, {1, 0}, 0, 1);
  CHECK(chosen.labels == std::vector<int64_t>{0});
  CHECK(chosen.pixels == std::vector<uint8_t>{7, 8});
}

TEST_CASE("batches are scaled to mean 0 and deviation 1 of each channel") {
  Images images;
  images.append({3, 1, 2, {0, 255, 10, 20, 7, 7}}, 1);
  images.append({3, 1, 2, {255, 0, 30, 40, 7, 7}}, 0);
  const PixelScale scale = PixelScale::of(images);
  CHECK(scale.mean[0] == doctest::Approx(0.5));
  CHECK(scale.std[0] == doctest::Approx(0.5));
  CHECK(scale.mean[1] == doctest::Approx(25.0 / 255));
  CHECK(scale.std[1] == doctest::Approx(std::sqrt(125.0) / 255));
  CHECK(scale.std[2] == 1);
  const Tensor batch = image_batch(images, {1, 0, 1}, scale);
  CHECK(batch.shape() == Shape{3, 3, 1, 2});
  const std::vector<double> values = batch.to_vector();
  CHECK(values[0] == doctest::Approx(1));
  CHECK(values[1] == doctest::Approx(-1));
  CHECK(values[6] == doctest::Approx(-1));
  CHECK(values[2] == doctest::Approx(5 / std::sqrt(125.0)));
  CHECK(values[4] == doctest::Approx(0).epsilon(1e-6));
  CHECK(label_batch(images.labels, {1, 0, 1}).to_vector<int64_t>() ==
        std::vector<int64_t>{0, 1, 0});
  const PixelScale again = PixelScale::from_json(Json::parse(scale.to_json().dump()));
  CHECK(again.mean == scale.mean);
  CHECK(again.std == scale.std);
  CHECK_THROWS_AS(image_batch(images, {2}, scale), Error);
  CHECK_THROWS_AS(image_batch(images, {-1}, scale), Error);
  CHECK_THROWS_AS(image_batch(images, {0}, PixelScale{{0}, {1}}), Error);
  CHECK_THROWS_AS(label_batch({1}, {1}), Error);
  CHECK_THROWS_AS(PixelScale::from_json(Json::parse(R"({"mean": [1], "std": [0]})")), Error);
  CHECK_THROWS_AS(PixelScale::from_json(Json::parse(R"({"mean": [1], "std": []})")), Error);
}

TEST_CASE("augmentation turns, scales and shifts around the middle") {
  // The level is linear in x and y, so interpolation gives it exactly.
  constexpr int64_t size = 21;
  std::vector<uint8_t> ramp;
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x) ramp.push_back(static_cast<uint8_t>(3 * x + 7 * y + 5));
  const Augmentation limits{.shift = 2, .rotate = 30, .scale = 0.3, .flip = true};
  int mirrored = 0;
  for (uint64_t index = 0; index < 40; ++index) {
    const RandomKey key{4, 8};
    std::vector<float> out(ramp.size());
    augment(ramp.data(), 1, size, size, limits, key, index, out.data());
    double drawn[5];
    for (uint64_t i = 0; i < 5; ++i) drawn[i] = 2 * uniform<double>(key, 5 * index + i) - 1;
    using Point = std::complex<double>;
    const Point middle(10, 10), shift(2 * drawn[0], 2 * drawn[1]);
    const Point turn = std::polar(std::pow(1.3, drawn[3]), drawn[2] * std::numbers::pi / 6);
    mirrored += drawn[4] < 0;
    for (int64_t y = 7; y <= 13; ++y)
      for (int64_t x = 7; x <= 13; ++x) {
        const Point here(static_cast<double>(x), static_cast<double>(y));
        Point from = (here - middle - shift) / turn;
        if (drawn[4] < 0) from = -std::conj(from);
        from += middle;
        // 250 levels in f32: half an ulp is 2⁻¹⁷.
        CHECK(std::abs(out[static_cast<size_t>(y * size + x)] -
                       (3 * from.real() + 7 * from.imag() + 5)) < 1e-4);
      }
  }
  CHECK(mirrored > 5);
  CHECK(mirrored < 35);
}

TEST_CASE("beyond the edge the nearest pixel is taken, in every channel") {
  const std::vector<uint8_t> image = {1, 2, 3, 4, 101, 102, 103, 104};
  std::vector<float> out(8);
  for (uint64_t index = 0; index < 50; ++index) {
    augment(image.data(), 2, 2, 2, {.shift = 100, .rotate = 180, .scale = 5}, {1, 1}, index,
            out.data());
    for (size_t i = 0; i < 4; ++i) {
      CHECK(out[i] >= 1);
      CHECK(out[i] <= 4);
      CHECK(out[4 + i] == doctest::Approx(out[i] + 100).epsilon(1e-6));
    }
  }
  augment(image.data(), 2, 2, 2, {}, {1, 1}, 0, out.data());
  CHECK(out == std::vector<float>(image.begin(), image.end()));
}

TEST_CASE("augmentation of an image depends only on seed, step and image") {
  Images images;
  for (uint8_t i = 0; i < 4; ++i) images.append({1, 3, 3, {i, 9, 80, 7, 200, 5, 40, 3, 2}}, i);
  const PixelScale scale{{0}, {1}};
  const Augmentation limits{.shift = 1};
  const auto batch = [&](std::vector<int64_t> indices, uint64_t seed, int64_t step) {
    return image_batch(images, indices, scale, limits, {seed, 7}, step).to_vector();
  };
  const std::vector<double> one = batch({2}, 1, 5), two = batch({0, 2}, 1, 5);
  CHECK(std::vector<double>(two.begin() + 9, two.end()) == one);
  CHECK(batch({2}, 1, 6) != one);
  CHECK(batch({2}, 2, 5) != one);
}

TEST_CASE("MNIST is read whole") {
  if (!have_data("mnist/train-images-idx3-ubyte")) return;
  const ImageFolder folder = read_image_folder(data_file("mnist").string());
  CHECK(folder.train.size() == 9'000);
  CHECK(folder.test.size() == 1'000);
  CHECK(folder.names.size() == 10);
  // The usual statistics of MNIST's whole training set: 0.1307, 0.3081.
  const PixelScale scale = PixelScale::of(folder.train);
  CHECK(std::abs(scale.mean[0] - 0.1307) < 0.003);
  CHECK(std::abs(scale.std[0] - 0.3081) < 0.003);
}

}  // namespace
}  // namespace tarsier::zoo
