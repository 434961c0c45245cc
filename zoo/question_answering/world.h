#pragma once
// A small world that makes up stories: people walk about, take things, put them down, give them.

#include <cstdint>

#include "../../autograd/base/random.h"
#include "babi.h"

namespace tarsier::zoo::question_answering {

/// `count` stories of every kind of question: where a person is, where a thing is, who has a thing,
/// whether a person is in a place (yes, no), how many things a person has, whom a thing was given
/// to. Each tells 12 events and asks 4 times, only what the story has told; the supporting lines
/// are known. The same for the same key. The first tenth tests, the last tenth validates.
StoryData made_up_stories(int64_t count, RandomKey key);

/// The built-in data: 200 stories of every kind.
StoryData world_data();

}  // namespace tarsier::zoo::question_answering
