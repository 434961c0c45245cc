#pragma once
// Chorales made by rules of voice leading: music to learn from that needs no download.

#include "../../autograd/base/random.h"
#include "score.h"

namespace tarsier::zoo::music {

/// A chorale of four phrases, two bars of four beats each, for soprano, alto, tenor and bass, four
/// steps a beat. The key, major or harmonic minor, is drawn from `key`, and so is all else:
///   harmony    each beat a triad of the scale, each following from the one before as harmony books
///              have it (II–V–I, IV–V …); phrases end on V or I, the last one with V–I
///   voicing    all three notes of the triad, the root in the bass or, within a phrase, sometimes
///              the third; voices in their ranges, not crossed, upper neighbours at most an octave
///              apart; no parallel fifths or octaves; else the voicing with the smallest steps,
///              with some chance
///   movement   where a voice moves by a third, a passing note on the half beat, with some chance
/// The last chord of a phrase is held for two beats.
Score chorale(RandomKey key);

}  // namespace tarsier::zoo::music
