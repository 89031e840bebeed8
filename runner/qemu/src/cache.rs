//! One set-associative store with true LRU: a cache of lines, or a TLB of pages.

/// No line and no page has this number: addresses have 64 bits, and their numbers fewer.
const EMPTY: u64 = u64::MAX;

/// A lookup of what was used last in its set costs one comparison, and that is most of them.
pub struct Cache {
    /// Of each set the most recently used entry.
    newest: Vec<u64>,
    /// The others of each set, by how recently they were used.
    older: Vec<u64>,
    /// How many of these a set has.
    depth: usize,
    sets: u64,
    /// `sets - 1` where that is a mask; else the set is a remainder.
    mask: Option<u64>,
}

impl Cache {
    /// An empty one.
    pub fn new(sets: u64, ways: usize) -> Self {
        let length = usize::try_from(sets).unwrap_or(usize::MAX);
        let depth = ways - 1;
        Self {
            newest: vec![EMPTY; length],
            older: vec![EMPTY; length.saturating_mul(depth)],
            depth,
            sets,
            mask: sets.is_power_of_two().then(|| sets - 1),
        }
    }

    /// Looks `number` up and makes it its set's most recent entry, in the place of the least recent where it is absent.
    /// Was it there?
    #[inline(always)]
    #[expect(clippy::inline_always, clippy::cast_possible_truncation)]
    pub fn touch(&mut self, number: u64) -> bool {
        let set = match self.mask {
            Some(mask) => number & mask,
            None => number % self.sets,
        } as usize;
        self.newest[set] == number || self.reorder(set, number)
    }

    #[inline(never)]
    fn reorder(&mut self, set: usize, number: u64) -> bool {
        let mut carried = std::mem::replace(&mut self.newest[set], number);
        for entry in &mut self.older[set * self.depth..(set + 1) * self.depth] {
            std::mem::swap(entry, &mut carried);
            if carried == number {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    /// Misses of `passes` cyclic walks over the numbers 0, `stride`, 2 `stride`, … below `end`.
    fn walk(cache: &mut Cache, end: u64, stride: usize, passes: u64) -> u64 {
        let mut misses = 0;
        for _ in 0..passes {
            misses += (0..end).step_by(stride).map(|number| u64::from(!cache.touch(number))).sum::<u64>();
        }
        misses
    }

    #[test]
    fn what_fits_is_missed_once() {
        assert_eq!(walk(&mut Cache::new(64, 8), 512, 1, 5), 512);
    }

    #[test]
    fn one_more_than_fits_is_always_missed_in_its_set_alone() {
        // Set 0 has nine of the 513 numbers for its eight ways: a cyclic walk under LRU misses all nine, each time.
        assert_eq!(walk(&mut Cache::new(64, 8), 513, 1, 5), 513 + 4 * 9);
    }

    #[test]
    fn a_stride_of_the_sets_uses_one_set_alone() {
        assert_eq!(walk(&mut Cache::new(64, 8), 64 * 8, 64, 5), 8);
        assert_eq!(walk(&mut Cache::new(64, 8), 64 * 9, 64, 5), 5 * 9);
    }

    #[test]
    fn the_number_of_sets_need_not_be_a_power_of_two() {
        assert_eq!(walk(&mut Cache::new(3, 2), 6, 1, 4), 6);
        assert_eq!(walk(&mut Cache::new(3, 2), 7, 1, 4), 7 + 3 * 3);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(1, 2);
        assert_eq!([1, 2, 1, 3, 1, 2].map(|number| cache.touch(number)), [false, false, true, false, true, false]);
    }
}
