//! A program that starts another one in its place: qemu would have the kernel start it bare, and nothing of it would be
//! counted. Here qemu itself is started anew, with the same options, to run the other program.

use std::ffi::{c_char, c_int, c_ulong, CStr, CString, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null;
use std::sync::atomic::{AtomicU64, Ordering};

/// What `learn` was told of nothing.
const UNKNOWN: u64 = u64::MAX;

/// The kernel's own limit of a script's first line (BINPRM_BUF_SIZE).
const FIRST_LINE: usize = 256;

/// The kernel's own limit of scripts that are run by scripts (`exec_binprm`).
const DEEPEST: usize = 5;

/// ELF header: magic number, 64 bits, little endian; and at offset 18 the machine.
const ELF: &[u8] = b"\x7fELF\x02\x01";
#[cfg(target_arch = "x86_64")]
const MACHINE: u8 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u8 = 183;

extern "C" {
    fn execve(path: *const c_char, argv: *const *const c_char, env: *const *const c_char) -> c_int;
    fn access(path: *const c_char, mode: c_int) -> c_int;
    fn personality(persona: c_ulong) -> c_int;
    static environ: *const *const c_char;
}

/// Asks `personality(2)` what it is.
const NO_CHANGE: c_ulong = 0xffff_ffff;
/// Addresses are not drawn by chance (`personality(2)`).
const ADDR_NO_RANDOMIZE: c_ulong = 0x0004_0000;

/// May be executed (`access(2)`).
const X_OK: c_int = 1;

/// How this process's qemu was started.
pub struct Exec {
    /// Qemu and its options, up to those of this plugin.
    own: Vec<CString>,
    guest_base: AtomicU64,
}

/// The ELF program that runs, and the words before the arguments of the script where it was one.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    path: CString,
    /// Empty: it is no script, and its first argument is as it was given.
    first: Vec<CString>,
}

/// Starts this very process anew where its addresses are drawn by chance: newer qemus lay the program out where the
/// kernel has them lie, and what a table of addresses costs depends on it. Comes back where the kernel refuses.
pub fn without_chance() {
    let line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let words: Vec<CString> = line.split(|&byte| byte == 0).filter_map(|word| CString::new(word).ok()).collect();
    // Behind the last word's end there is none.
    let words: Vec<*const c_char> =
        words[..words.len().saturating_sub(1)].iter().map(|word| word.as_ptr()).chain([null()]).collect();
    #[expect(unsafe_code)]
    // SAFETY: the list of words ends with a null, and each word with 0; the environment is the process's own.
    unsafe {
        let now = personality(NO_CHANGE);
        let Ok(now) = c_ulong::try_from(now) else { return };
        if now & ADDR_NO_RANDOMIZE == 0 && personality(now | ADDR_NO_RANDOMIZE) >= 0 {
            execve(c"/proc/self/exe".as_ptr(), words.as_ptr(), environ);
        }
    }
}

impl Exec {
    /// By this process's command line.
    pub fn new() -> Self {
        let line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
        let words = line.split(|&byte| byte == 0).filter_map(|word| CString::new(word).ok()).collect();
        let own = std::env::current_exe().ok().and_then(|exe| CString::new(exe.as_os_str().as_bytes()).ok());
        Self { own: options(words, own), guest_base: AtomicU64::new(UNKNOWN) }
    }

    /// Where the program's memory lies in ours.
    pub fn learn(&self, guest_base: Option<u64>) {
        self.guest_base.store(guest_base.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }

    /// `execve(path, argv, env)` of the program: comes back where it is left to qemu. `before` is called when the
    /// process is about to be another program.
    pub fn follow(&self, path: u64, argv: u64, env: u64, before: impl FnOnce()) {
        let base = self.guest_base.load(Ordering::Relaxed);
        if base == UNKNOWN || path == 0 || argv == 0 {
            return;
        }
        let path = string(base, path);
        #[expect(unsafe_code)]
        // SAFETY: the path ends with 0.
        let refused = unsafe { access(path.as_ptr(), X_OK) } != 0;
        if refused || Path::new(OsStr::from_bytes(path.to_bytes())).is_dir() {
            return;
        }
        before();
        let Some(program) = program(path.clone()).filter(|_| !self.own.is_empty()) else { return };
        let given = strings(base, argv);
        let words = words(&self.own, program, path, given);
        let argv: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).chain([null()]).collect();
        let env = if env == 0 { Vec::new() } else { strings(base, env) };
        let env: Vec<*const c_char> = env.iter().map(|word| word.as_ptr()).chain([null()]).collect();
        #[expect(unsafe_code)]
        // SAFETY: both lists end with a null, and each word of them with 0; all outlive the call.
        unsafe {
            execve(self.own[0].as_ptr(), argv.as_ptr(), env.as_ptr());
        }
    }
}

/// Qemu's own words of its command line: the first, as a path, to those of `-plugin`.
fn options(mut words: Vec<CString>, exe: Option<CString>) -> Vec<CString> {
    let Some(plugin) = words.iter().position(|word| word.as_c_str() == c"-plugin") else { return Vec::new() };
    words.truncate(plugin + 2);
    if let Some(exe) = exe {
        words[0] = exe;
    }
    words
}

fn words(own: &[CString], program: Program, script: CString, given: Vec<CString>) -> Vec<CString> {
    let mut words = own.to_vec();
    if program.first.is_empty() {
        if let Some(name) = given.first() {
            words.extend([c"-0".to_owned(), name.clone()]);
        }
        words.push(program.path);
    } else {
        words.push(program.path);
        words.extend(program.first.into_iter().skip(1));
        words.push(script);
    }
    words.extend(given.into_iter().skip(1));
    words
}

/// What the kernel would run for `path`; None: no ELF program of this architecture.
fn program(path: CString) -> Option<Program> {
    let mut found = Program { path, first: Vec::new() };
    for _ in 0..DEEPEST {
        let mut head = Vec::new();
        let file = File::open(OsStr::from_bytes(found.path.to_bytes())).ok()?;
        file.take(FIRST_LINE as u64).read_to_end(&mut head).ok()?;
        if head.starts_with(ELF) {
            return (head.get(18) == Some(&MACHINE)).then_some(found);
        }
        let (interpreter, argument) = interpreter(&head)?;
        found.first.splice(0..0, [interpreter.clone()].into_iter().chain(argument));
        found.path = interpreter;
    }
    None
}

/// The interpreter of a script's first line, and its one argument (execve(2), "Interpreter scripts").
fn interpreter(head: &[u8]) -> Option<(CString, Option<CString>)> {
    let line = head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?.trim_ascii();
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
    let argument = line[end..].trim_ascii();
    let word = |bytes: &[u8]| CString::new(bytes).ok().filter(|word| !word.is_empty());
    Some((word(&line[..end])?, word(argument)))
}

#[expect(unsafe_code)]
fn string(base: u64, address: u64) -> CString {
    // SAFETY: a program that hands the kernel a pointer that is none gets EFAULT from it; here it would end as by its own
    // read of it.
    unsafe { CStr::from_ptr(pointer(base, address)) }.to_owned()
}

#[expect(unsafe_code)]
fn strings(base: u64, list: u64) -> Vec<CString> {
    let mut found = Vec::new();
    let mut place: *const u64 = pointer(base, list);
    loop {
        // SAFETY: as in `string`; the list ends with a null.
        let address = unsafe { place.read_unaligned() };
        if address == 0 {
            return found;
        }
        found.push(string(base, address));
        place = place.wrapping_add(1);
    }
}

#[expect(clippy::cast_possible_truncation)]
fn pointer<T>(base: u64, address: u64) -> *const T {
    base.wrapping_add(address) as usize as *const T
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Vec<CString> {
        texts.iter().map(|text| CString::new(*text).expect("no 0 in it")).collect()
    }

    #[test]
    fn qemus_own_words_end_with_those_of_the_plugin() {
        let line = ["qemu", "-cpu", "max", "-plugin", "x.so,out=y", "-0", "name", "/bin/sh", "-plugin"];
        let exe = CString::new("/usr/bin/qemu").expect("no 0 in it");
        assert_eq!(options(of(&line), Some(exe)), of(&["/usr/bin/qemu", "-cpu", "max", "-plugin", "x.so,out=y"]));
        assert_eq!(options(of(&["qemu", "/bin/sh"]), None), of(&[]));
    }

    #[test]
    fn a_first_line_is_read_as_the_kernel_reads_it() {
        for (head, interpreter_and_argument) in [
            ("#!/bin/sh\necho\n", Some(("/bin/sh", None))),
            ("#! /usr/bin/env  bash \n", Some(("/usr/bin/env", Some("bash")))),
            ("#!/usr/bin/env -S a b\n", Some(("/usr/bin/env", Some("-S a b")))),
            ("#!/bin/sh", Some(("/bin/sh", None))),
            ("#!\n", None),
            ("echo\n", None),
        ] {
            let word = |text: &str| CString::new(text).expect("no 0 in it");
            let told = interpreter_and_argument.map(|(path, argument)| (word(path), argument.map(word)));
            assert_eq!(interpreter(head.as_bytes()), told, "{head:?}");
        }
    }

    #[test]
    fn an_elf_program_keeps_its_first_argument_and_a_script_is_handed_to_its_interpreter() {
        let own = of(&["qemu", "-plugin", "p"]);
        let (script, given) = (CString::new("./s").expect("no 0 in it"), of(&["name", "1"]));
        let alone = Program { path: script.clone(), first: Vec::new() };
        assert_eq!(
            words(&own, alone, script.clone(), given.clone()),
            of(&["qemu", "-plugin", "p", "-0", "name", "./s", "1"])
        );
        let run = Program { path: of(&["/bin/sh"])[0].clone(), first: of(&["/bin/sh", "-e"]) };
        assert_eq!(words(&own, run, script, given), of(&["qemu", "-plugin", "p", "/bin/sh", "-e", "./s", "1"]));
    }

    #[test]
    fn this_program_is_an_elf_program() {
        let exe = CString::new(std::env::current_exe().expect("it runs").as_os_str().as_bytes()).expect("no 0 in it");
        assert_eq!(program(exe.clone()), Some(Program { path: exe, first: Vec::new() }));
        assert_eq!(program(CString::new("/etc/passwd").expect("no 0 in it")), None);
    }
}
