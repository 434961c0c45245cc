#include "zoo/diffusion/reader.h"

#include <algorithm>
#include <numeric>

#include "autograd/io/json.h"
#include "zoo/data/sampler.h"
#include "zoo/task/trained.h"
#include "zoo/vit/task.h"

namespace tarsier::zoo::diffusion {

Reader::Reader(const std::string& folder, const Config& config,
               const std::vector<std::string>& names) {
  const RunFolder run = RunFolder::open(folder);
  const RunConfig read = run.read_config();
  check(read.model == "vit", "reader", folder, " is a run of ", read.model,
        ": pictures are read by a run of vit; train one on the same data");
  const Json& data = read.data;
  const int64_t channels = data["channels"].as_int(), h = data["height"].as_int(),
                w = data["width"].as_int();
  check(channels == config.channels && h == config.image_size.h && w == config.image_size.w,
        "reader", folder, " reads images of ", w, " × ", h, " with ", channels,
        " channels, but those drawn have ", config.image_size.w, " × ", config.image_size.h,
        " with ", config.channels, ": train a vit on the same data");
  std::vector<std::string> known;
  for (const Json& name : data["names"].as_array()) known.push_back(name.as_string());
  check(known == names, "reader", folder, " knows ", known.size(), " classes, and not the ",
        names.size(), " that are drawn, by the same names: train a vit on the same data");
  task_ = trained_task(vit::models().front(), run, read);
  scale_ = PixelScale::from_json(data["scale"]);
}

double Reader::share_recognised(const Images& pictures) {
  const NoGrad no_grad;
  auto& vit = dynamic_cast<vit::VisionTransformer&>(task_->model());
  int64_t right = 0;
  for (int64_t begin = 0; begin < pictures.size(); begin += 100) {
    std::vector<int64_t> some(static_cast<size_t>(std::min<int64_t>(100, pictures.size() - begin)));
    std::iota(some.begin(), some.end(), begin);
    const Tensor read = argmax(vit(image_batch(pictures, some, scale_)), 1);
    right += sum(read == label_batch(pictures.labels, some)).item<int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(pictures.size());
}

}  // namespace tarsier::zoo::diffusion
