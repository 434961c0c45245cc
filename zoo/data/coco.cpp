#include "zoo/data/coco.h"

namespace tarsier::zoo {

namespace {

/// The member of an object, of the kind that `as` reads; `kind` names it.
template <class As>
decltype(auto) member(const CocoObject& object, const char* name, As as, const char* kind) {
  const Json* found = object.json->is_object() ? object.json->find(name) : nullptr;
  check(found != nullptr, "data", object.place, " has no \"", name, "\": COCO's format has ", kind,
        " there");
  try {
    return (found->*as)();
  } catch (const Error&) {
    fail("data", object.place, ": \"", name, "\" is of the wrong kind: COCO's format has ", kind,
         " there");
  }
}

}  // namespace

int64_t CocoObject::whole(const char* name) const {
  return member(*this, name, &Json::as_int, "a whole number");
}
double CocoObject::number(const char* name) const {
  return member(*this, name, &Json::as_double, "a number");
}
const std::string& CocoObject::text(const char* name) const {
  return member(*this, name, &Json::as_string, "a string");
}
const Json::Array& CocoObject::list(const char* name) const {
  return member(*this, name, &Json::as_array, "an array");
}

std::vector<CocoObject> CocoObject::objects(const char* name, const char* what) const {
  std::vector<CocoObject> out;
  for (const Json& one : list(name)) {
    const Json* id = one.is_object() ? one.find("id") : nullptr;
    const std::string which = id != nullptr && id->is_int() ? concat("with the id ", id->as_int())
                                                            : concat("number ", out.size() + 1);
    out.push_back({&one, concat(place, ", ", what, " ", which)});
  }
  return out;
}

CocoImages::CocoImages(const CocoObject& file) : objects(file.objects("images", "image")) {
  for (size_t i = 0; i < objects.size(); ++i)
    check(index.emplace(objects[i].whole("id"), i).second, "data", objects[i].place,
          ": another image has this id");
}

size_t CocoImages::of(const CocoObject& annotation) const {
  const int64_t id = annotation.whole("image_id");
  const auto found = index.find(id);
  check(found != index.end(), "data", annotation.place, ": there is no image with the id ", id);
  return found->second;
}

}  // namespace tarsier::zoo
