#pragma once
// What users took, in the formats of recommender data: lines of items, or tables of events.

#include <cstdint>
#include <string>
#include <vector>

namespace tarsier::zoo {

/// What all users took, and what the items are called. An item's number is its index.
struct Interactions {
  std::vector<std::string> items;   ///< as the file writes them, in order: 2 before 10 before a
  std::vector<std::string> titles;  ///< of each item; the item itself where it has none
  std::vector<int64_t> lines = {};  ///< the first line of the file with each item, if from a file
  /// The items of each user, oldest first; users in the order in which the file begins them.
  std::vector<std::vector<int32_t>> histories;

  int64_t size() const { return static_cast<int64_t>(items.size()); }
  /// The number of events.
  int64_t events() const;
};

/// Where user, item and time stand in a table: names in the header, numbers from 1, or "" where
/// they are to be found. `titles` is the file of the items' titles, or "".
struct InteractionColumns {
  std::string user = "", item = "", time = "", titles = "";
};

/// The interactions of the UTF-8 file `path`:
/// - lines `user item item …`, with blanks between them, the oldest item first, a line for each
///   user; or
/// - a table with a row for each event, its fields between tabs, `::`, commas or semicolons (in
///   these two fields may be quoted). The first line names the columns, in any case: user, user_id,
///   userId …; item, item_id, movieId, asin …; timestamp, time, date …, also with RecBole's types
///   (`user_id:token`); other columns are ignored. Without such names two columns are user and
///   item, four are user, item, rating and time (MovieLens' u.data and ratings.dat).
/// Events are ordered by time, which is a number or begins with a date (2014-05-01); equal times
/// keep the order of the file, and so do all events if there is no time. All times must be numbers,
/// or all dates.
///
/// A folder stands for the one file in it that is called u.data, ratings.dat, ratings.csv, or ends
/// in .inter.
///
/// Titles are read from `columns.titles`, or from a file next to the data if there is one: u.item,
/// movies.dat, movies.csv, or the .item file of the same name. Its fields may also stand between
/// bars (u.item, in which bytes that are not UTF-8 are Latin-1). It may have titles of other items.
///
/// Throws Error("data") that names file and line: for a line without items, a user with two lines,
/// fields that are missing or blank, times that are neither numbers nor dates, columns that do not
/// exist or cannot be told apart, or that are given for lines of items, a title without an item or
/// twice for an item, and a file without events.
Interactions read_interactions(const std::string& path, const InteractionColumns& columns = {});

}  // namespace tarsier::zoo
