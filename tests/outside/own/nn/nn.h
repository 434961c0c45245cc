#pragma once
// The user's own nn/nn.h.
namespace own {
constexpr int width = 16;
}
