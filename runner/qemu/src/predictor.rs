//! Branch predictors: gshare for directions, a table of targets by path for indirect branches, a stack for returns.
//!
//! McFarling, "Combining Branch Predictors" (WRL TN-36, 1993), section 6; Chang, Hao and Patt, "Target Prediction for
//! Indirect Jumps" (ISCA 1997), for the path history.

use crate::branch::Kind;

const HISTORY_BITS: u32 = 14;
const COUNTERS: usize = 1 << HISTORY_BITS;
const TARGETS: usize = 1 << 12;
const RETURNS: usize = 32;

/// What has been learned of a core's branches so far.
pub struct Predictor {
    /// Two-bit counters; 2 and 3 say taken.
    directions: Vec<u8>,
    /// The last directions, the newest in bit 0.
    history: usize,
    targets: Vec<u64>,
    /// A hash of the last targets of indirect branches.
    path: u64,
    returns: [u64; RETURNS],
    /// Where the next return address goes; it wraps, and so the oldest is overwritten.
    top: usize,
}

impl Predictor {
    /// One that has seen nothing: all is predicted not taken.
    pub fn new() -> Self {
        Self {
            directions: vec![1; COUNTERS],
            history: 0,
            targets: vec![0; TARGETS],
            path: 0,
            returns: [0; RETURNS],
            top: 0,
        }
    }

    /// Predicts the branch at `pc`, learns that it went to `target`, and says whether that was mispredicted. `next` is
    /// the address behind the branch.
    pub fn mispredicts(&mut self, kind: Kind, pc: u64, next: u64, target: u64) -> bool {
        match kind {
            Kind::Conditional => self.direction(pc, target != next),
            Kind::Jump => false,
            Kind::Call => {
                self.push(next);
                false
            }
            Kind::IndirectJump => self.target(pc, target),
            Kind::IndirectCall => {
                self.push(next);
                self.target(pc, target)
            }
            Kind::Return => {
                self.top = self.top.wrapping_sub(1) % RETURNS;
                self.returns[self.top] != target
            }
        }
    }

    #[expect(clippy::cast_possible_truncation)]
    fn direction(&mut self, pc: u64, taken: bool) -> bool {
        let counter = &mut self.directions[(pc as usize ^ self.history) % COUNTERS];
        let predicted = *counter >= 2;
        *counter = if taken { (*counter + 1).min(3) } else { counter.saturating_sub(1) };
        self.history = ((self.history << 1) | usize::from(taken)) % COUNTERS;
        predicted != taken
    }

    #[expect(clippy::cast_possible_truncation)]
    fn target(&mut self, pc: u64, target: u64) -> bool {
        let known = &mut self.targets[(pc ^ self.path) as usize % TARGETS];
        let wrong = *known != target;
        *known = target;
        self.path = (self.path << 3) ^ target ^ (target >> 12);
        wrong
    }

    fn push(&mut self, address: u64) {
        self.returns[self.top] = address;
        self.top = (self.top + 1) % RETURNS;
    }
}

#[cfg(test)]
mod tests {
    use super::{Predictor, RETURNS};
    use crate::branch::Kind;

    fn wrong(predictor: &mut Predictor, kind: Kind, targets: impl Iterator<Item = u64>) -> usize {
        targets.filter(|&target| predictor.mispredicts(kind, 0x1000, 0x1006, target)).count()
    }

    #[test]
    fn a_loop_is_learned_and_its_end_is_missed_where_the_history_is_too_short() {
        let mut predictor = Predictor::new();
        let round = || (0..100).map(|turn| if turn < 99 { 0x0f00 } else { 0x1006 });
        wrong(&mut predictor, Kind::Conditional, round().chain(round()));
        // 99 equal directions fill the history of 14: the last turn looks like those before it.
        assert_eq!(wrong(&mut predictor, Kind::Conditional, round().chain(round())), 2);
    }

    #[test]
    fn a_short_pattern_is_learned_to_its_end() {
        let mut predictor = Predictor::new();
        let pattern = |turns: u64| (0..turns).map(|turn| if turn % 5 == 4 { 0x1006 } else { 0x0f00 });
        wrong(&mut predictor, Kind::Conditional, pattern(200));
        assert_eq!(wrong(&mut predictor, Kind::Conditional, pattern(500)), 0);
    }

    #[test]
    fn targets_that_repeat_are_learned_by_their_path() {
        let mut predictor = Predictor::new();
        let dispatch = |turns: u64| (0..turns).map(|turn| 0x4000 + turn % 7 * 0x90);
        wrong(&mut predictor, Kind::IndirectJump, dispatch(700));
        assert_eq!(wrong(&mut predictor, Kind::IndirectJump, dispatch(700)), 0);
    }

    #[test]
    fn returns_are_known_as_deep_as_the_stack_is() {
        for (depth, missed) in [(RETURNS, 0), (RETURNS + 3, 3)] {
            let mut predictor = Predictor::new();
            let calls: Vec<u64> = (0..depth as u64).map(|call| 0x1000 + call * 16).collect();
            for &call in &calls {
                assert!(!predictor.mispredicts(Kind::Call, call, call + 5, 0x9000));
            }
            let wrong =
                calls.iter().rev().filter(|&&call| predictor.mispredicts(Kind::Return, 0x9010, 0x9011, call + 5));
            assert_eq!(wrong.count(), missed);
        }
    }

    #[test]
    fn direct_jumps_are_always_right() {
        assert_eq!(wrong(&mut Predictor::new(), Kind::Jump, (0..9).map(|turn| turn * 64)), 0);
    }
}
