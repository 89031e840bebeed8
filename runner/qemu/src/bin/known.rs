//! A program of known cost, to see whether the plugin counts: `known loop N` and `known walk BYTES STRIDE PASSES`.
//!
//! Of each it is one region. The loop takes exactly 2 N + 3 instructions. A walk loads one byte at each multiple of
//! STRIDE below BYTES, PASSES times, once to warm up and once in the region.

use std::arch::asm;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = words.iter().skip(1).filter_map(|word| word.parse().ok()).collect();
    match (words.first().map(String::as_str), numbers.as_slice()) {
        (Some("loop"), &[turns]) if turns > 0 => count_down(turns),
        (Some("walk"), &[bytes, stride, passes]) if bytes > 0 && stride > 0 => walk(bytes, stride, passes),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code)]
fn count_down(turns: usize) {
    // SAFETY: the kernel knows no such calls; the loop touches its own register alone, and ends as `turns` is not 0.
    unsafe {
        asm!(
            "mov eax, 0x74700001", "syscall",
            "mov rdx, {turns}",
            "2:", "dec rdx", "jnz 2b",
            "mov eax, 0x74700002", "syscall",
            turns = in(reg) turns, out("rax") _, out("rcx") _, out("rdx") _, out("r11") _, options(nostack),
        );
    }
}

#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code)]
fn count_down(turns: usize) {
    // SAFETY: as above. The number of the second call is the first's plus 1.
    unsafe {
        asm!(
            "movz x8, #0x7470, lsl #16", "add x8, x8, #1", "svc #0",
            "mov x9, {turns}",
            "2:", "subs x9, x9, #1", "b.ne 2b",
            "add x8, x8, #1", "svc #0",
            turns = in(reg) turns, out("x0") _, out("x8") _, out("x9") _, options(nostack),
        );
    }
}

fn mark(number: usize) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code)]
    // SAFETY: the kernel knows no such call.
    unsafe {
        asm!("syscall", inout("rax") number => _, out("rcx") _, out("r11") _, options(nostack));
    }
    #[cfg(target_arch = "aarch64")]
    #[expect(unsafe_code)]
    // SAFETY: as above.
    unsafe {
        asm!("svc #0", in("x8") number, lateout("x0") _, options(nostack));
    }
}

fn walk(bytes: usize, stride: usize, passes: usize) {
    let memory = vec![0_u8; bytes + PAGE];
    let skipped = memory.as_ptr().align_offset(PAGE);
    let walked = &memory[skipped..skipped + bytes];
    over(walked, stride, 1);
    mark(0x7470_0001);
    over(walked, stride, passes);
    mark(0x7470_0002);
}

/// Both ends of a walk lie at the beginnings of pages, so that its lines and pages are known.
const PAGE: usize = 4096;

fn over(memory: &[u8], stride: usize, passes: usize) {
    for _ in 0..passes {
        for byte in memory.iter().step_by(stride) {
            std::hint::black_box(*byte);
        }
    }
}
