#pragma once
// The parts of a data set: what they are called in a folder, and how one list becomes three.

#include <string>
#include <vector>

#include "sampler.h"

namespace tarsier::zoo {

/// What a part may be called in the name of a file or folder, the likeliest first.
const std::vector<std::string>& train_names();       ///< train
const std::vector<std::string>& validation_names();  ///< val, valid, validation, dev
const std::vector<std::string>& test_names();        ///< test

/// The table of one of these names, .tsv or .csv, in `folder`; "" if there is none. The name may
/// have something `before` it: "strings-train.tsv".
std::string table_in(const std::string& folder, const std::vector<std::string>& names,
                     const std::string& before = "");

/// All tables of `folder`: files that end in .tsv or .csv.
std::vector<std::string> tables_in(const std::string& folder);

/// The path of the file `name` in `folder` or in one of its folders `below`; "" if there is none.
/// The name may be absolute, have backslashes between folders, or lack one of `endings`.
std::string find_file(const std::string& folder, const std::string& name,
                      const std::vector<std::string>& below,
                      const std::vector<std::string>& endings);

template <class T>
struct Parts {
  std::vector<T> train, val, test;
};

/// Of ten elements 8 train, 1 validates and 1 tests, in an order drawn from `key`.
template <class T>
Parts<T> parts_of(std::vector<T> all, RandomKey key) {
  Parts<T> out;
  const std::vector<int64_t> order = permutation(static_cast<int64_t>(all.size()), key);
  for (size_t i = 0; i < order.size(); ++i) {
    std::vector<T>& part = i % 10 == 4 ? out.val : i % 10 == 9 ? out.test : out.train;
    part.push_back(std::move(all[static_cast<size_t>(order[i])]));
  }
  return out;
}

/// The part of each example of one list, 0 trains, 1 validates, 2 tests, with a share of every label
/// in each: the first of a label trains, and of ten others 8 train, 1 validates and 1 tests, in an
/// order drawn from `key`.
std::vector<int> parts_by_label(const std::vector<std::string>& labels, RandomKey key);

}  // namespace tarsier::zoo
