#pragma once
// Every optimiser with the options that tests/golden/make_optim.py gives it.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "optim/optim.h"

namespace tarsier {

struct OptimizerCase {
  std::string name;
  std::function<std::unique_ptr<optim::Optimizer>(const TensorDict& parameters)> make;
  bool matrices_only = false;
};

template <class Optimizer, class Options>
OptimizerCase optimizer_case(const std::string& name, const Options& options,
                             bool matrices_only = false) {
  return {name,
          [options](const TensorDict& parameters) {
            return std::make_unique<Optimizer>(parameters, options);
          },
          matrices_only};
}

inline std::vector<OptimizerCase> optimizer_cases() {
  using namespace optim;
  return {
      optimizer_case<SGD, SGDOptions>("sgd", {.lr = 0.03}),
      optimizer_case<SGD, SGDOptions>(
          "sgd_all",
          {.lr = 0.03, .momentum = 0.9, .dampening = 0.2, .weight_decay = 0.1, .maximize = true}),
      optimizer_case<SGD, SGDOptions>(
          "sgd_nesterov", {.lr = 0.03, .momentum = 0.8, .weight_decay = 0.1, .nesterov = true}),
      optimizer_case<Adam, AdamOptions>("adam", {.lr = 0.02}),
      optimizer_case<Adam, AdamOptions>("adam_amsgrad", {.lr = 0.02,
                                                         .betas = {0.8, 0.9},
                                                         .eps = 1e-4,
                                                         .weight_decay = 0.1,
                                                         .amsgrad = true,
                                                         .maximize = true}),
      optimizer_case<AdamW, AdamWOptions>("adamw", {.lr = 0.02}),
      optimizer_case<AdamW, AdamWOptions>("adamw_amsgrad", {.lr = 0.02,
                                                            .betas = {0.8, 0.9},
                                                            .weight_decay = 0.2,
                                                            .amsgrad = true,
                                                            .maximize = true}),
      optimizer_case<Adagrad, AdagradOptions>("adagrad", {}),
      optimizer_case<Adagrad, AdagradOptions>("adagrad_all", {.lr = 0.3,
                                                              .lr_decay = 0.05,
                                                              .weight_decay = 0.1,
                                                              .initial_accumulator_value = 0.3,
                                                              .eps = 1e-3,
                                                              .maximize = true}),
      optimizer_case<RMSprop, RMSpropOptions>("rmsprop", {}),
      optimizer_case<RMSprop, RMSpropOptions>("rmsprop_momentum",
                                              {.alpha = 0.9, .weight_decay = 0.1, .momentum = 0.7}),
      optimizer_case<RMSprop, RMSpropOptions>("rmsprop_centered",
                                              {.alpha = 0.9, .eps = 1e-3, .centered = true}),
      optimizer_case<RMSprop, RMSpropOptions>("rmsprop_all", {.lr = 0.005,
                                                              .alpha = 0.95,
                                                              .eps = 1e-3,
                                                              .weight_decay = 0.1,
                                                              .momentum = 0.5,
                                                              .centered = true,
                                                              .maximize = true}),
      optimizer_case<NAdam, NAdamOptions>("nadam", {}),
      optimizer_case<NAdam, NAdamOptions>("nadam_all", {.lr = 0.01,
                                                        .betas = {0.8, 0.95},
                                                        .eps = 1e-4,
                                                        .weight_decay = 0.1,
                                                        .momentum_decay = 0.3,
                                                        .maximize = true}),
      optimizer_case<NAdam, NAdamOptions>(
          "nadam_decoupled", {.lr = 0.02, .weight_decay = 0.2, .decoupled_weight_decay = true}),
      optimizer_case<RAdam, RAdamOptions>("radam", {}),
      optimizer_case<RAdam, RAdamOptions>(
          "radam_all",
          {.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-4, .weight_decay = 0.1, .maximize = true}),
      optimizer_case<RAdam, RAdamOptions>(
          "radam_decoupled", {.lr = 0.02, .weight_decay = 0.2, .decoupled_weight_decay = true}),
      optimizer_case<RAdam, RAdamOptions>("radam_never", {.betas = {0.9, 0.6}}),
      optimizer_case<Adadelta, AdadeltaOptions>("adadelta", {}),
      optimizer_case<Adadelta, AdadeltaOptions>(
          "adadelta_all",
          {.lr = 0.7, .rho = 0.8, .eps = 1e-3, .weight_decay = 0.1, .maximize = true}),
      optimizer_case<Lion, LionOptions>("lion", {}),
      optimizer_case<Lion, LionOptions>(
          "lion_all", {.lr = 0.01, .betas = {0.8, 0.95}, .weight_decay = 0.3, .maximize = true}),
      optimizer_case<Adafactor, AdafactorOptions>("adafactor", {}),
      optimizer_case<Adafactor, AdafactorOptions>("adafactor_all", {.lr = 0.3,
                                                                    .beta2_decay = -0.6,
                                                                    .eps = {0.9, 0.4},
                                                                    .d = 1.2,
                                                                    .weight_decay = 0.1,
                                                                    .maximize = true}),
      optimizer_case<Adafactor, AdafactorOptions>("adafactor_3d", {.lr = 0.3}),
      optimizer_case<Muon, MuonOptions>("muon", {.lr = 0.02}, true),
      optimizer_case<Muon, MuonOptions>("muon_all",
                                        {.lr = 0.02,
                                         .weight_decay = 0.3,
                                         .momentum = 0.8,
                                         .nesterov = false,
                                         .ns_coefficients = {3, -3.2, 1.2},
                                         .eps = 0.5,
                                         .ns_steps = 3,
                                         .adjust_lr_fn = "match_rms_adamw"},
                                        true),
      optimizer_case<Muon, MuonOptions>("muon_spectral",
                                        {.lr = 0.02, .adjust_lr_fn = "spectral_unclamped"}, true),
  };
}

}  // namespace tarsier
