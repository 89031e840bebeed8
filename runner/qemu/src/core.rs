//! One modelled core: its caches and TLBs, its branch predictors, and what was counted in it.

use crate::branch::Kind;
use crate::cache::Cache;
use crate::geometry::{Geometry, Size};
use crate::predictor::Predictor;

/// Base pages, the only ones that are modelled.
const PAGE_BITS: u32 = 12;

/// The number of no line.
const NOWHERE: u64 = u64::MAX;

/// Of one access: the code generator splits what is wider (`MO_128`).
const WIDEST: u64 = 16;

/// What is counted, named as the catalogue of events names it, in the order of `Counts`.
pub const NAMES: [&str; 11] = [
    "instructions",
    "branches",
    "indirect-branches",
    "branch-misses",
    "l1i-misses",
    "l1d-misses",
    "l2-misses",
    "cache-misses",
    "itlb-misses",
    "dtlb-misses",
    "stlb-misses",
];

/// Figures in the order of `NAMES`.
pub type Counts = [u64; NAMES.len()];

pub const INSTRUCTIONS: usize = 0;
const BRANCHES: usize = 1;
const INDIRECT_BRANCHES: usize = 2;
const BRANCH_MISSES: usize = 3;
const L1I: usize = 4;
const L1D: usize = 5;
const L2: usize = 6;
const LLC: usize = 7;
const ITLB: usize = 8;
const DTLB: usize = 9;
const STLB: usize = 10;

/// What a block of instructions is, once for all its executions.
pub struct Block {
    /// Its first instruction's address.
    pub start: u64,
    /// How many instructions.
    pub instructions: u64,
    /// The first and the last of the lines that they lie in.
    pub lines: (u64, u64),
    /// The branch that ends it.
    pub branch: Option<Branch>,
}

/// A branch in the program's text.
#[derive(Clone, Copy)]
pub struct Branch {
    /// How it is predicted.
    pub kind: Kind,
    /// Its address.
    pub pc: u64,
    /// The address behind it.
    pub next: u64,
}

/// One core.
pub struct Core {
    /// So far.
    pub counts: Counts,
    line_bits: u32,
    l1i: Cache,
    l1d: Cache,
    l2: Option<Cache>,
    llc: Option<Cache>,
    itlb: Cache,
    dtlb: Cache,
    stlb: Option<Cache>,
    istlb: Option<Cache>,
    predictor: Predictor,
    /// The last line that an instruction was fetched from.
    fetched: u64,
    /// The last line that was loaded from or stored to.
    accessed: u64,
    /// The branch that ended the last block: where it went is known when the next one begins.
    pending: Option<Branch>,
}

impl Core {
    /// A cold one.
    pub fn new(geometry: &Geometry) -> Self {
        let cache = |size: Size| Cache::new(size.sets, size.ways);
        Self {
            counts: Counts::default(),
            line_bits: geometry.line_bits,
            l1i: cache(geometry.l1i),
            l1d: cache(geometry.l1d),
            l2: geometry.l2.map(cache),
            llc: geometry.llc.map(cache),
            itlb: cache(geometry.itlb),
            dtlb: cache(geometry.dtlb),
            stlb: geometry.stlb.map(cache),
            istlb: geometry.istlb.map(cache),
            predictor: Predictor::new(),
            fetched: NOWHERE,
            accessed: NOWHERE,
            pending: None,
        }
    }

    /// A block is executed.
    pub fn execute(&mut self, block: &Block) {
        if let Some(Branch { kind, pc, next }) = self.pending {
            self.counts[BRANCHES] += 1;
            self.counts[INDIRECT_BRANCHES] += u64::from(kind.is_indirect());
            self.counts[BRANCH_MISSES] += u64::from(self.predictor.mispredicts(kind, pc, next, block.start));
        }
        self.pending = block.branch;
        self.counts[INSTRUCTIONS] += block.instructions;
        let (first, last) = block.lines;
        // What was fetched last is the newest of its set as it is.
        let mut line = first + u64::from(first == self.fetched);
        while line <= last {
            self.fetch(line);
            line += 1;
        }
        self.fetched = last;
    }

    #[inline(always)]
    #[expect(clippy::inline_always)]
    fn fetch(&mut self, line: u64) {
        let page = line >> (PAGE_BITS - self.line_bits);
        if !self.itlb.touch(page) {
            self.counts[ITLB] += 1;
            let second = if self.istlb.is_some() { &mut self.istlb } else { &mut self.stlb };
            self.counts[STLB] += u64::from(!found(second, page));
        }
        if !self.l1i.touch(line) {
            self.counts[L1I] += 1;
            self.beyond(line);
        }
    }

    /// A load or store at `address`; `width` is asked for its bytes only where it may reach into the next line.
    #[inline]
    pub fn access(&mut self, address: u64, width: impl FnOnce() -> u64) {
        self.data(address);
        let line = 1_u64 << self.line_bits;
        if (address & (line - 1)) + WIDEST > line {
            let last = address.wrapping_add(width() - 1);
            if last >> self.line_bits != address >> self.line_bits {
                self.data(last);
            }
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always)]
    fn data(&mut self, address: u64) {
        let line = address >> self.line_bits;
        // Still the newest of its set, and so is its page.
        if line == self.accessed {
            return;
        }
        self.accessed = line;
        let page = address >> PAGE_BITS;
        if !self.dtlb.touch(page) {
            self.counts[DTLB] += 1;
            self.counts[STLB] += u64::from(!found(&mut self.stlb, page));
        }
        if !self.l1d.touch(line) {
            self.counts[L1D] += 1;
            self.beyond(line);
        }
    }

    /// A line that the first level missed; what no level has counts as missed by the last.
    fn beyond(&mut self, line: u64) {
        if found(&mut self.l2, line) {
            return;
        }
        self.counts[L2] += u64::from(self.l2.is_some());
        self.counts[LLC] += u64::from(!found(&mut self.llc, line));
    }
}

/// Whether a level has it; one that is not there has nothing.
fn found(level: &mut Option<Cache>, number: u64) -> bool {
    level.as_mut().is_some_and(|cache| cache.touch(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L1D of 32 KiB, L2 of 1 MiB, LLC of 8 MiB, DTLB of 64 pages, STLB of 1536.
    fn core() -> Core {
        let size = |sets, ways| Size { sets, ways };
        Core::new(&Geometry {
            line_bits: 6,
            l1i: size(64, 8),
            l1d: size(64, 8),
            l2: Some(size(1024, 16)),
            llc: Some(size(8192, 16)),
            itlb: size(8, 8),
            dtlb: size(16, 4),
            stlb: Some(size(128, 12)),
            istlb: None,
        })
    }

    /// What the last of three walks over `bytes` missed, in L1D, L2, LLC, DTLB, STLB.
    fn walk(core: &mut Core, bytes: u64, stride: usize) -> [u64; 5] {
        let mut before = [0; 11];
        for _ in 0..3 {
            before = core.counts;
            for address in (0..bytes).step_by(stride) {
                core.access(address, || 8);
            }
        }
        [L1D, L2, LLC, DTLB, STLB].map(|which| core.counts[which] - before[which])
    }

    #[test]
    fn cyclic_walks_miss_every_level_that_is_too_small_for_them() {
        for (bytes, stride, missed) in [
            (4 << 10, 64, [0, 0, 0, 0, 0]),
            (32 << 10, 64, [0, 0, 0, 0, 0]),
            (64 << 10, 64, [1024, 0, 0, 0, 0]),
            (256 << 10, 64, [4096, 0, 0, 0, 0]),
            (512 << 10, 64, [8192, 0, 0, 128, 0]),
            (2 << 20, 64, [32768, 32768, 0, 512, 0]),
            (16 << 20, 64, [1 << 18, 1 << 18, 1 << 18, 4096, 4096]),
            (64 << 20, 4096, [16384, 16384, 16384, 16384, 16384]),
        ] {
            assert_eq!(walk(&mut core(), bytes, stride), missed, "{bytes} bytes by {stride}");
        }
    }

    #[test]
    fn an_access_across_a_line_and_a_page_is_one_to_both() {
        let mut core = core();
        core.access(4096 - 4, || 8);
        assert_eq!((core.counts[L1D], core.counts[DTLB]), (2, 2));
        core.access(8192 - 8, || 8);
        assert_eq!((core.counts[L1D], core.counts[DTLB]), (3, 2));
    }

    #[test]
    fn blocks_count_their_instructions_lines_pages_and_the_branch_that_led_to_the_next() {
        let mut core = core();
        let branch = Some(Branch { kind: Kind::IndirectJump, pc: 0x40f0, next: 0x40f2 });
        let block = Block { start: 0x4000, instructions: 7, lines: (0x100, 0x101), branch };
        for _ in 0..3 {
            core.execute(&block);
        }
        let counted = [INSTRUCTIONS, L1I, ITLB, STLB, BRANCHES, INDIRECT_BRANCHES].map(|which| core.counts[which]);
        assert_eq!(counted, [21, 2, 1, 1, 2, 2]);
    }

    #[test]
    fn without_a_level_the_one_above_it_is_the_last() {
        let mut core = core();
        (core.l2, core.llc, core.stlb) = (None, None, None);
        assert_eq!(walk(&mut core, 64 << 10, 64), [1024, 0, 1024, 0, 0]);
        assert_eq!(walk(&mut core, 512 << 10, 4096), [128, 0, 128, 128, 128]);
    }
}
