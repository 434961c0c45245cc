#pragma once
// Whether this is built with AddressSanitizer. It must see every block that is freed, so what keeps
// memory for reuse asks.

#if defined(__SANITIZE_ADDRESS__)
#define TARSIER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TARSIER_ASAN 1
#endif
#endif
