//! The loops themselves: no Python here.

#[cfg(target_arch = "x86_64")]
use std::time::Instant;

/// Core cycles from one `imul` to a dependent one, on Intel and AMD alike (<https://uops.info>).
#[cfg(target_arch = "x86_64")]
const IMUL_CYCLES: f64 = 3.0;
/// imuls in one round of the chain; the loop around them runs beside the chain and costs no time.
#[cfg(target_arch = "x86_64")]
const UNROLLED: u64 = 16;
/// The shortest of so many timings counts: whatever disturbs a timing makes it longer.
#[cfg(target_arch = "x86_64")]
const TIMINGS: usize = 7;

/// This architecture has no such loop.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsupported;

/// Executes exactly `2 * n` instructions and `n` branches, apart from the few around the loop.
///
/// # Errors
/// `Unsupported` on anything but x86_64 and aarch64.
pub fn count_down(n: u64) -> Result<(), Unsupported> {
    if n == 0 {
        return Ok(());
    }
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code)]
    // SAFETY: touches nothing but its own register and the flags, and ends because `n` is not 0.
    unsafe {
        std::arch::asm!("2:", "dec {n}", "jnz 2b", n = inout(reg) n => _, options(nomem, nostack));
    }
    #[cfg(target_arch = "aarch64")]
    #[expect(unsafe_code)]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("2:", "subs {n}, {n}, #1", "b.ne 2b", n = inout(reg) n => _, options(nomem, nostack));
    }
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
        Ok(())
    } else {
        Err(Unsupported)
    }
}

/// The core's clock in GHz, from the time that `chain` dependent multiplications take (rounded up to 16).
///
/// It is an estimate of the clock *while it runs*: a hyperthread neighbour slows a chain of latencies little,
/// but a clock that changes meanwhile is averaged.
///
/// # Errors
/// `Unsupported` on anything but `x86_64`.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::cast_precision_loss)]
pub fn clock_ghz(chain: u64) -> Result<f64, Unsupported> {
    let rounds = chain.div_ceil(UNROLLED).max(1);
    let nanoseconds =
        (0..TIMINGS).map(|_| time_of_imuls(rounds)).min().map_or(f64::NAN, |shortest| shortest.max(1) as f64);
    Ok((rounds * UNROLLED) as f64 * IMUL_CYCLES / nanoseconds)
}

/// See the other one: no architecture but `x86_64` has a chain of known latency here.
///
/// # Errors
/// Always `Unsupported`.
#[cfg(not(target_arch = "x86_64"))]
pub fn clock_ghz(_chain: u64) -> Result<f64, Unsupported> {
    Err(Unsupported)
}

/// Nanoseconds that `rounds` times 16 dependent imuls take.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code)]
fn time_of_imuls(rounds: u64) -> u128 {
    let started = Instant::now();
    // SAFETY: touches nothing but its own registers and the flags, and ends because `rounds` is not 0.
    unsafe {
        std::arch::asm!(
            "2:",
            ".rept 16",
            "imul {x}, {x}",
            ".endr",
            "dec {n}",
            "jnz 2b",
            x = inout(reg) 3_u64 => _,
            n = inout(reg) rounds => _,
            options(nomem, nostack),
        );
    }
    started.elapsed().as_nanos()
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_count_down_ends() {
        assert_eq!(count_down(0), Ok(()));
    }

    #[test]
    fn counting_down_takes_at_least_a_tenth_of_a_cycle_each() {
        let started = Instant::now();
        assert_eq!(count_down(100_000_000), Ok(()));
        assert!(started.elapsed().as_micros() > 1_000);
    }

    #[test]
    fn the_clock_is_one_of_a_real_core() {
        let ghz = clock_ghz(1_000_000).expect("x86_64 has the chain");
        assert!((0.2..8.0).contains(&ghz), "{ghz} GHz");
    }

    #[test]
    fn a_chain_of_zero_is_still_a_number() {
        assert!(clock_ghz(0).expect("x86_64 has the chain").is_finite());
    }
}
