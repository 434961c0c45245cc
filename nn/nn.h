#pragma once
// All of the layers, and the files that hold their weights.

#include "nn/activation.h"
#include "nn/attention.h"
#include "nn/container.h"
#include "nn/ctc.h"
#include "nn/dropout.h"
#include "nn/embedding.h"
#include "nn/file.h"
#include "nn/init.h"
#include "nn/json.h"
#include "nn/linear.h"
#include "nn/loss.h"
#include "nn/module.h"
#include "nn/norm.h"
#include "nn/safetensors.h"
#include "nn/shape.h"
#include "nn/utf8.h"
