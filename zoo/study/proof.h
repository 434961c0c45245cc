#pragma once
// The proof: gradients of results and weights, compared with differences of the loss.

#include <functional>

#include "recording.h"

namespace tarsier::study {

struct ProofOptions {
  double seconds = 3;  ///< about; after that fewer elements are tried, evenly over the nodes
  int elements = 3;    ///< of every node: the one with the largest gradient, others by chance
};

/// Fills in recording.proof and the errors of its parameters, or says in recording.proof_missing
/// why there is no proof.
///
/// `loss` computes the recorded loss again, with the same ops, in f64: from f64 copies of the
/// weights, the same ones at every call, and with the generator set back to where it was, so that
/// every call gives the same bits. It is called often. Its first result is walked backward; that
/// adds to the gradients of its weights.
///
/// An element x of a result is moved by h and 2h to both sides, as the op hands it on, and
///   dL/dx ≈ (8 (L(x + h) − L(x − h)) − (L(x + 2h) − L(x − 2h))) / 12h
/// is compared with the gradient of the walk. Where the derivatives to the left and to the right
/// differ (ReLU at 0), the line is marked as a kink. Views are left out: they are their inputs.
void add_proof(Recording& recording, const std::function<Tensor()>& loss,
               const ProofOptions& options = {});

}  // namespace tarsier::study
