//! Which kind of branch an instruction is, by its bytes.

/// Kinds that are predicted in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Taken or not.
    Conditional,
    /// To an address that stands in it.
    Jump,
    /// As a jump, and comes back.
    Call,
    /// To an address that is computed.
    IndirectJump,
    /// As an indirect jump, and comes back.
    IndirectCall,
    /// Back behind the call.
    Return,
}

impl Kind {
    /// Jumps and calls to an address that is computed; returns are none of them.
    pub fn is_indirect(self) -> bool {
        matches!(self, Kind::IndirectJump | Kind::IndirectCall)
    }
}

/// The kind of the instruction with these bytes; None: it is no branch (`syscall` and traps are none).
///
/// Intel SDM volume 2, appendix A ("Opcode Map"), in 64-bit mode.
#[cfg(target_arch = "x86_64")]
pub fn kind_of(bytes: &[u8]) -> Option<Kind> {
    let legacy = |byte: &u8| matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3);
    let rest = &bytes[bytes.iter().take_while(|byte| legacy(byte)).count()..];
    let rest = &rest[rest.iter().take_while(|byte| matches!(byte, 0x40..=0x4f)).count()..];
    match *rest {
        [0x70..=0x7f | 0xe0..=0xe3, ..] | [0x0f, 0x80..=0x8f, ..] => Some(Kind::Conditional),
        [0xe8, ..] => Some(Kind::Call),
        [0xe9 | 0xeb, ..] => Some(Kind::Jump),
        [0xc2 | 0xc3, ..] => Some(Kind::Return),
        [0xff, modrm, ..] => match (modrm >> 3) & 7 {
            2 | 3 => Some(Kind::IndirectCall),
            4 | 5 => Some(Kind::IndirectJump),
            _ => None,
        },
        _ => None,
    }
}

/// The kind of the instruction with these bytes; None: it is no branch (`svc` and traps are none).
///
/// Arm Architecture Reference Manual for A-profile, C4.1.95 "Branches, Exception Generating and System instructions".
#[cfg(target_arch = "aarch64")]
pub fn kind_of(bytes: &[u8]) -> Option<Kind> {
    let word = u32::from_le_bytes(bytes.try_into().ok()?);
    if word >> 26 == 0b00_0101 {
        return Some(Kind::Jump);
    }
    if word >> 26 == 0b10_0101 {
        return Some(Kind::Call);
    }
    if word >> 25 == 0b010_1010 || (word >> 25) & 0b11_1111 == 0b01_1010 || (word >> 25) & 0b11_1111 == 0b01_1011 {
        return Some(Kind::Conditional);
    }
    match (word >> 25, (word >> 21) & 0b0111) {
        (0b110_1011, 0) => Some(Kind::IndirectJump),
        (0b110_1011, 1) => Some(Kind::IndirectCall),
        (0b110_1011, 2) => Some(Kind::Return),
        _ => None,
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::{kind_of, Kind};

    #[test]
    fn every_kind_is_told_by_its_bytes() {
        for (bytes, kind) in [
            (&[0x75, 0x10][..], Some(Kind::Conditional)),         // jne
            (&[0x0f, 0x84, 1, 0, 0, 0], Some(Kind::Conditional)), // je rel32
            (&[0x2e, 0x74, 0x00], Some(Kind::Conditional)),       // with a branch hint
            (&[0xe3, 0x05], Some(Kind::Conditional)),             // jrcxz
            (&[0xeb, 0xfe], Some(Kind::Jump)),
            (&[0xf2, 0xe9, 0, 0, 0, 0], Some(Kind::Jump)), // bnd jmp
            (&[0xe8, 0, 0, 0, 0], Some(Kind::Call)),
            (&[0xff, 0xd0], Some(Kind::IndirectCall)),             // call *%rax
            (&[0x41, 0xff, 0xe3], Some(Kind::IndirectJump)),       // jmp *%r11
            (&[0x3e, 0xff, 0xe0], Some(Kind::IndirectJump)),       // notrack jmp *%rax
            (&[0xff, 0x25, 0, 0, 0, 0], Some(Kind::IndirectJump)), // jmp *x(%rip)
            (&[0xc3], Some(Kind::Return)),
            (&[0xf3, 0xc3], Some(Kind::Return)), // rep ret
            (&[0xff, 0xc0], None),               // inc %eax
            (&[0xff, 0x30], None),               // push (%rax)
            (&[0x0f, 0x05], None),               // syscall
            (&[0x0f, 0x95, 0xc0], None),         // setne %al
            (&[0x48, 0x89, 0xe5], None),
            (&[0x66], None),
            (&[], None),
        ] {
            assert_eq!(kind_of(bytes), kind, "{bytes:02x?}");
        }
    }
}

#[cfg(all(test, target_arch = "aarch64"))]
mod tests {
    use super::{kind_of, Kind};

    #[test]
    fn every_kind_is_told_by_its_word() {
        for (word, kind) in [
            (0x1400_0001_u32, Some(Kind::Jump)),     // b
            (0x9400_0001, Some(Kind::Call)),         // bl
            (0x5400_0041, Some(Kind::Conditional)),  // b.ne
            (0xb400_0040, Some(Kind::Conditional)),  // cbz
            (0x3708_0040, Some(Kind::Conditional)),  // tbnz
            (0xd61f_0200, Some(Kind::IndirectJump)), // br x16
            (0xd63f_0100, Some(Kind::IndirectCall)), // blr x8
            (0xd65f_03c0, Some(Kind::Return)),       // ret
            (0xd400_0001, None),                     // svc
            (0x9100_03fd, None),                     // mov x29, sp
        ] {
            assert_eq!(kind_of(&word.to_le_bytes()), kind, "{word:08x}");
        }
    }
}
