#pragma once
// All of the optimisers.

#include "adadelta.h"
#include "adafactor.h"
#include "adagrad.h"
#include "adam.h"
#include "clip.h"
#include "ema.h"
#include "lion.h"
#include "muon.h"
#include "nadam.h"
#include "optimizer.h"
#include "plateau.h"
#include "radam.h"
#include "rmsprop.h"
#include "schedule.h"
#include "sgd.h"
