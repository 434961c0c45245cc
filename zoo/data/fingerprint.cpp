#include "zoo/data/fingerprint.h"

#include <cstdio>

namespace tarsier::zoo {

Fingerprint& Fingerprint::add(std::string_view bytes) {
  for (char byte : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  return *this;
}

std::string Fingerprint::text() const {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash_));
  return digits;
}

}  // namespace tarsier::zoo
