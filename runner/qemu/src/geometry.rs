//! The sizes of what is modelled, as the plugin's arguments give them.

use std::collections::HashMap;

/// Of a cache or TLB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Any number from 1 on; 1 is fully associative.
    pub sets: u64,
    /// Entries of a set.
    pub ways: usize,
}

/// Of one core and what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// log2 of the bytes of a line, the same in all caches.
    pub line_bits: u32,
    /// First-level instruction cache.
    pub l1i: Size,
    /// First-level data cache.
    pub l1d: Size,
    /// Second level, of both; None: there is none.
    pub l2: Option<Size>,
    /// Last level behind it, of both; None: the second is the last, or the first where there is no second.
    pub llc: Option<Size>,
    /// First-level instruction TLB.
    pub itlb: Size,
    /// First-level data TLB.
    pub dtlb: Size,
    /// Second-level TLB: of both, or of data where `istlb` is there; None: there is none.
    pub stlb: Option<Size>,
    /// Second-level TLB of instructions alone.
    pub istlb: Option<Size>,
}

impl Geometry {
    /// From `line=64`, and `l1i=64x8`, … : sets and ways.
    pub fn parse(given: &HashMap<&str, &str>) -> Result<Self, String> {
        let optional = |name: &str| given.get(name).map(|text| size(name, text)).transpose();
        let needed = |name: &str| optional(name)?.ok_or_else(|| format!("{name}= is missing"));
        let line = given.get("line").and_then(|text| text.parse::<u64>().ok()).filter(|line| line.is_power_of_two());
        Ok(Self {
            line_bits: line.ok_or("line= is no power of two")?.trailing_zeros(),
            l1i: needed("l1i")?,
            l1d: needed("l1d")?,
            l2: optional("l2")?,
            llc: optional("llc")?,
            itlb: needed("itlb")?,
            dtlb: needed("dtlb")?,
            stlb: optional("stlb")?,
            istlb: optional("istlb")?,
        })
    }
}

fn size(name: &str, text: &str) -> Result<Size, String> {
    let numbers = text.split_once('x').and_then(|(sets, ways)| Some((sets.parse().ok()?, ways.parse().ok()?)));
    match numbers {
        Some((sets, ways)) if sets > 0 && ways > 0 => Ok(Size { sets, ways }),
        _ => Err(format!("{name}={text} is not SETSxWAYS")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(left_out: &str) -> HashMap<&'static str, &'static str> {
        let all = [("line", "64"), ("l1i", "64x8"), ("l1d", "64x12"), ("itlb", "8x8"), ("dtlb", "1x96")];
        all.into_iter().filter(|(name, _)| *name != left_out).collect()
    }

    #[test]
    fn levels_that_are_not_given_are_not_there() {
        let found = Geometry::parse(&given("")).expect("all that is needed is given");
        assert_eq!((found.line_bits, found.l1d, found.l2), (6, Size { sets: 64, ways: 12 }, None));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_named() {
        assert_eq!(Geometry::parse(&given("dtlb")), Err("dtlb= is missing".to_owned()));
        for (text, said) in [("0x8", "l2=0x8"), ("8", "l2=8"), ("x", "l2=x")] {
            let mut given = given("");
            given.insert("l2", text);
            assert!(Geometry::parse(&given).is_err_and(|error| error.contains(said)));
        }
    }
}
