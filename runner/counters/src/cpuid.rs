//! The `cpuid` instruction, which tells the sizes of TLBs that no file of the kernel has.

/// eax, ebx, ecx, edx of a leaf; None: the CPU has no leaf of so high a number.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn leaf(leaf: u32, subleaf: u32) -> Option<(u32, u32, u32, u32)> {
    use std::arch::x86_64::__cpuid_count;

    let ask = |leaf, subleaf| {
        #[expect(unsafe_code)]
        #[allow(unused_unsafe)] // newer compilers call it safe
        // SAFETY: every x86-64 CPU has the instruction; newer compilers know that it is safe.
        unsafe {
            __cpuid_count(leaf, subleaf)
        }
    };
    // The first leaf of each range tells the last (Intel SDM volume 2A, CPUID).
    let last = ask(leaf & 0x8000_0000, 0).eax;
    (leaf <= last).then(|| ask(leaf, subleaf)).map(|found| (found.eax, found.ebx, found.ecx, found.edx))
}

/// See the other one: no other architecture has it.
#[cfg(not(target_arch = "x86_64"))]
#[must_use]
pub fn leaf(_leaf: u32, _subleaf: u32) -> Option<(u32, u32, u32, u32)> {
    None
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::leaf;

    #[test]
    fn the_first_leaf_tells_the_last_and_none_is_beyond_it() {
        let (last, ..) = leaf(0, 0).expect("every CPU has it");
        assert!(last >= 1);
        assert_eq!(leaf(last + 1, 0), None);
    }
}
