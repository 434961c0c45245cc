#pragma once
// Generated data for recommendations: viewers whose tastes drift.

#include "../../autograd/base/random.h"
#include "interactions.h"

namespace tarsier::zoo {

/// What `users` viewers watched, of 240 films. Twelve genres stand in a ring; each has four series
/// of five parts. A viewer has a genre and a direction. With the chance 2/5 they watch the next
/// part of the latest series that they have not finished, otherwise the first unseen part of a
/// series of their genre, some series more often than others; with the chance 3/10 they first move
/// on to the next genre in their direction. So who counts pairs finds the next part, and who
/// reads the whole history also knows where the viewer is going. Each history has 8 to 24 films.
/// Everything random depends on `key`. Throws Error("data") for a negative number.
Interactions watched_films(int64_t users, RandomKey key);

/// 1,500 viewers, always the same.
Interactions films_data();

}  // namespace tarsier::zoo
