//! Valgrind's client requests, those that callgrind's regions need. Outside of valgrind they do nothing.
//!
//! The instruction sequence and the request codes are valgrind's ABI (`valgrind.h`, `callgrind.h`, "will not change").
//! They stand here so that the extension builds, and then works, where valgrind's headers are not installed.

const RUNNING_ON_VALGRIND: usize = 0x1001;
const CALLGRIND: usize = ((b'C' as usize) << 24) | ((b'T' as usize) << 16);
const ZERO_STATS: usize = CALLGRIND + 1;
const DUMP_STATS_AT: usize = CALLGRIND + 3;
const START_INSTRUMENTATION: usize = CALLGRIND + 4;

/// How deep in valgrinds this process runs; 0 on the bare machine.
#[must_use]
pub fn depth() -> usize {
    request(RUNNING_ON_VALGRIND, 0)
}

/// Begins a region: instrumentation on (it stays on), all costs at zero.
pub fn start() {
    request(START_INSTRUMENTATION, 0);
    request(ZERO_STATS, 0);
}

/// Ends the region: its costs go to callgrind's out file.
pub fn stop() {
    let name = c"region";
    request(DUMP_STATS_AT, name.as_ptr() as usize);
}

#[cfg(target_arch = "x86_64")]
fn request(code: usize, argument: usize) -> usize {
    let block = [code, argument, 0, 0, 0, 0];
    let mut result = 0_usize;
    #[expect(unsafe_code)]
    // SAFETY: rotations by 3 + 13 + 61 + 51 = 128 bits leave rdi as it was, and the exchange does nothing; only valgrind,
    // which knows the sequence, reads `block` and sets rdx. The argument, where there is one, is a static string.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") block.as_ptr(),
            inout("rdx") result,
        );
    }
    result
}

#[cfg(target_arch = "aarch64")]
fn request(code: usize, argument: usize) -> usize {
    let block = [code, argument, 0, 0, 0, 0];
    let mut result = 0_usize;
    #[expect(unsafe_code)]
    // SAFETY: as above, with x12, x4 and x3.
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61", "orr x10, x10, x10",
            in("x4") block.as_ptr(),
            inout("x3") result,
        );
    }
    result
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn request(_code: usize, _argument: usize) -> usize {
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn requests_do_nothing_on_the_bare_machine() {
        assert_eq!(super::depth(), 0);
        super::start();
        super::stop();
    }
}
