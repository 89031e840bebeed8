//! The marks of a region that our plugin of qemu (`runner/qemu`) sees: system calls that no Linux has. Outside of qemu the
//! kernel refuses them (`ENOSYS`), and nothing else happens.

const REGION_BEGINS: usize = 0x7470_0001;
const REGION_ENDS: usize = 0x7470_0002;

/// Begins a region.
pub fn start() {
    call(REGION_BEGINS);
}

/// Ends the region: its counts go to the plugin's file.
pub fn stop() {
    call(REGION_ENDS);
}

#[cfg(target_arch = "x86_64")]
fn call(number: usize) {
    #[expect(unsafe_code)]
    // SAFETY: the kernel knows no such call, so it reads no argument and touches no memory.
    unsafe {
        std::arch::asm!("syscall", inout("rax") number => _, out("rcx") _, out("r11") _, options(nostack));
    }
}

#[cfg(target_arch = "aarch64")]
fn call(number: usize) {
    #[expect(unsafe_code)]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("svc #0", in("x8") number, lateout("x0") _, options(nostack));
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn call(_number: usize) {}

#[cfg(test)]
mod tests {
    #[test]
    fn marks_do_nothing_on_the_bare_machine() {
        super::start();
        super::stop();
    }
}
