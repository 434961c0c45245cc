#pragma once
// All of the engine: tensors, the tape, the ops.

#include "base/parallel.h"
#include "base/random.h"
#include "check/check_op.h"
#include "check/gradcheck.h"
#include "functional/checkpoint.h"
#include "functional/functional.h"
#include "ops.h"
#include "ops/matmul/precision.h"
#include "ops/matmul/quantized.h"
#include "tape/print_tape.h"
#include "tape/tape.h"
#include "tensor/memory.h"
#include "tensor/tensor.h"
