#pragma once
// All of the engine: tensors, the tape, the ops.

#include "check_op.h"
#include "gradcheck.h"
#include "memory.h"
#include "ops.h"
#include "parallel.h"
#include "random.h"
#include "tape.h"
#include "tensor.h"
