#pragma once
// All of the engine: tensors, the tape, the ops.

#include "autograd/gradcheck.h"
#include "autograd/memory.h"
#include "autograd/ops.h"
#include "autograd/parallel.h"
#include "autograd/random.h"
#include "autograd/tape.h"
#include "autograd/tensor.h"
