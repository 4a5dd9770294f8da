//! The identifiers that git gives to contents, by which the Hub tells whether a small file has changed. They are SHA-1,
//! which is not used for anything that must be secure here: a collision would leave out a file of the same length.

/// Words of SHA-1's initial state (FIPS 180-4, 5.3.1).
const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// The identifier of a content, in 40 hexadecimal digits.
pub(super) struct GitBlob(Sha1);

impl GitBlob {
    /// Of a content of `length` bytes.
    pub(super) fn new(length: u64) -> Self {
        let mut sha = Sha1::new();
        sha.update(format!("blob {length}\0").as_bytes());
        GitBlob(sha)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> String {
        self.0.finish()
    }
}

struct Sha1 {
    state: [u32; 5],
    block: [u8; 64],
    filled: usize,
    length: u64,
}

impl Sha1 {
    fn new() -> Self {
        Sha1 { state: START, block: [0; 64], filled: 0, length: 0 }
    }

    fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = byte;
            }
            self.filled += 1;
            if self.filled == self.block.len() {
                self.state = mixed(self.state, &self.block);
                self.filled = 0;
            }
        }
        self.length += bytes.len() as u64;
    }

    fn finish(mut self) -> String {
        let bits = self.length * 8;
        self.update(&[0x80]);
        while self.filled != 56 {
            self.update(&[0]);
        }
        self.update(&bits.to_be_bytes());
        self.state.iter().map(|word| format!("{word:08x}")).collect()
    }
}

/// The state after one block (FIPS 180-4, 6.1.2).
fn mixed(state: [u32; 5], block: &[u8; 64]) -> [u32; 5] {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    for t in 16..80 {
        words[t] = (words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (t, word) in words.into_iter().enumerate() {
        let (chosen, constant) = match t {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a.rotate_left(5).wrapping_add(chosen).wrapping_add(e).wrapping_add(constant).wrapping_add(word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    let [p, q, r, s, t] = state;
    [p.wrapping_add(a), q.wrapping_add(b), r.wrapping_add(c), s.wrapping_add(d), t.wrapping_add(e)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8]) -> String {
        let mut blob = GitBlob::new(content.len() as u64);
        content.chunks(999).for_each(|piece| blob.update(piece));
        blob.finish()
    }

    #[test]
    fn identifiers_are_those_of_git() {
        // `git hash-object`.
        assert_eq!(of(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(of(b"Hello, World!"), "b45ef6fec89518d314f546fd6c3025367b721684");
        assert_eq!(of(&[b'a'; 55]), "d1985ddc2983785702b9a90effd5aff2f7cfdca4");
        assert_eq!(of(&[b'a'; 1_000_000]), "de1fbf0c2f34f67f01f355f31ed0cf7319643c5e");
    }

    #[test]
    fn all_lengths_around_a_block_are_padded() {
        // SHA-1 of `length` bytes `a`, from FIPS 180-4's padding: lengths 55, 56, 63, 64 and 65 take different ways.
        let of = |length: usize| {
            let mut sha = Sha1::new();
            sha.update(&vec![b'a'; length]);
            sha.finish()
        };
        assert_eq!(of(0), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(of(3), "7e240de74fb1ed08fa08d38063f6a6a91462a815");
        assert_eq!(of(55), "c1c8bbdc22796e28c0e15163d20899b65621d65a");
        assert_eq!(of(56), "c2db330f6083854c99d4b5bfb6e8f29f201be699");
        assert_eq!(of(63), "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
        assert_eq!(of(64), "0098ba824b5c16427bd7a1122a5a442a25ec644d");
        assert_eq!(of(65), "11655326c708d70319be2610e8a57d9a5b959d3b");
    }
}
